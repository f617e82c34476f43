"""What the API server is proven to accept or refuse, the command line accepts or refuses too."""

import pytest

from doubles.corpus import Case, invalid, valid
from sluice_operator.resource import parse


@pytest.mark.parametrize("case", valid(), ids=lambda case: case.title)
def test_a_valid_object_is_read(case: Case) -> None:
    assert parse(case.data, 0).problems == ()


@pytest.mark.parametrize("case", invalid(), ids=lambda case: case.title)
def test_an_invalid_object_is_refused_at_the_same_field(case: Case) -> None:
    problems = parse(case.data, 0).problems
    assert problems
    assert any(problem.field.startswith(case.field) for problem in problems), problems
