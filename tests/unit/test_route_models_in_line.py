"""What `kubectl get` shows of a route's model names: one line, not too long."""

import pytest

from doubles.objects import route
from doubles.planning import seen, settled, status


@pytest.mark.parametrize(
    ("models", "line"),
    [
        (["auto"], "auto"),
        (["gpt-4", "auto", "fast"], "auto, fast, gpt-4"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
        (["a" * 200, "b" * 200], "a" * 200 + " and 1 more"),
        (["a" * 200, "b" * 200, "c", "d"], "a" * 200 + " and 3 more"),
    ],
)
def test_the_first_names_stand_in_one_line(models: list[str], line: str) -> None:
    found = status(settled(seen(route("r", models=models))), "ModelRoute", "r")
    assert found["models"] == sorted(models)
    assert found["modelNames"] == line
