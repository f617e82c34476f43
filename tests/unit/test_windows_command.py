"""`sluice windows` shows the next openings, in the window's zone and in the machine's, and what is odd about them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doubles.objects import route, written
from sluice_cli.main import main


@pytest.fixture(autouse=True)
def machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def shown(folder: Path, *objects: dict[str, Any], options: tuple[str, ...] = ()) -> Result:
    path = folder / "x.yaml"
    path.write_text("\n---\n".join(json.dumps(data) for data in objects))
    return CliRunner().invoke(main, ["windows", str(path), *options])


def window(name: str = "night", **spec: Any) -> dict[str, Any]:
    return written("BatchWindow", name, {"routes": ["orders"], "timeZone": "Europe/Berlin", "deadline": "7d", **spec})


NIGHT = {"start": "22:00", "end": "06:00"}
SPRING = ("--now", "2026-03-26T12:00+00:00")


def test_openings_are_told_in_the_window_s_zone_and_the_machine_s(tmp_path: Path) -> None:
    result = shown(tmp_path, window(windows=[NIGHT]), options=(*SPRING, "--count", "3"))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "BatchWindow night  Europe/Berlin, for orders",
        "  closed now, opens in 9h",
        "  Europe/Berlin                              lasts  this machine's time",
        "  Thu 2026-03-26 22:00 +01:00  to Fri 06:00  8h     Thu 2026-03-26 17:00 -04:00",
        "  Fri 2026-03-27 22:00 +01:00  to Sat 06:00  8h     Fri 2026-03-27 17:00 -04:00",
        "  Sat 2026-03-28 22:00 +01:00  to Sun 06:00  7h     Sat 2026-03-28 17:00 -04:00  "
        "clocks go forward by 1h: after 01:59:59 comes 03:00:00",
    ]


def test_ten_are_shown_where_nothing_else_is_asked(tmp_path: Path) -> None:
    result = shown(tmp_path, window(windows=[NIGHT]), options=("-o", "json"))
    (told,) = json.loads(result.stdout)
    assert len(told["openings"]) == 10


def test_other_windows_that_are_open_meanwhile_are_named(tmp_path: Path) -> None:
    early = window("early", windows=[{"days": ["Fri"], "start": "05:00", "end": "07:00"}])
    apart = window("noon", windows=[{"start": "12:00", "end": "13:00"}])
    result = shown(tmp_path, window(windows=[NIGHT]), early, apart, options=(*SPRING, "--count", "2", "-o", "json"))
    found = {each["name"]: each["openings"] for each in json.loads(result.stdout)}
    assert [opening["alsoOpen"] for opening in found["night"]] == [["early"], []]
    assert found["early"][0]["alsoOpen"] == ["night"]
    assert found["noon"][0]["alsoOpen"] == []


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"always": True}, "open now, always"),
        ({"windows": [{"start": "10:00", "end": "14:00"}]}, "open now, until Thu 2026-03-26 14:00 +01:00"),
        ({"exceptions": [{"date": "2026-03-01", "windows": [NIGHT]}]}, "closed now, and never opens again"),
        ({"windows": [{"days": ["Sat"], **NIGHT}]}, "closed now, opens in 2d 9h"),
    ],
)
def test_what_is_true_now_is_said_first(tmp_path: Path, spec: dict[str, Any], says: str) -> None:
    result = shown(tmp_path, window(**spec), options=SPRING)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].strip() == says


@pytest.mark.parametrize(
    ("objects", "options", "code", "says"),
    [
        ([window(always=False)], (), 1, "spec.always: no window is given, so it would never open"),
        ([window(windows=[NIGHT], timeZone="Europe/Berlln")], (), 1, "is not a time zone"),
        ([route("orders")], (), 1, "no BatchWindow in these files"),
        ([window(windows=[NIGHT])], ("--now", "tomorrow"), 2, '"tomorrow" is not a time; write for example'),
        ([window(windows=[NIGHT])], ("--count", "0"), 2, "0 is not in the range"),
        ([window(windows=[NIGHT, NIGHT])], (), 0, "warning"),
    ],
)
def test_what_is_wrong_is_told_and_ends_it(
    tmp_path: Path, objects: list[dict[str, Any]], options: tuple[str, ...], code: int, says: str
) -> None:
    result = shown(tmp_path, *objects, options=options)
    assert result.exit_code == code
    assert says in result.stderr
    assert (result.stdout == "") == (code != 0)
