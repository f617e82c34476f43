"""Windows that never open, overlap, come too late or cannot be read: what `sluice plan` says, and what callers see."""

import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from doubles.batching import closed_window, with_windows
from doubles.behaviours import text
from doubles.running import route as route_yaml
from doubles.scripted import Scripted
from doubles.serve import Served, backend, config, route, serving
from sluice_cli.plan import plan
from sluice_sidecar.config import BatchWindow, DayWindow, ExceptionalDay, Window

CHAT = "/v1/chat/completions"
ASK: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
ASYNC = {"prefer": "respond-async"}
NIGHT = '{start: "22:00", end: "06:00"}'


@pytest.mark.parametrize(
    ("spec", "exit_code", "says"),
    [
        ("always: false", 1, "no window is given, so it would never open; give windows, or always: true"),
        ('exceptions: [{date: "2026-12-24"}]', 1, "no window is given"),
        (f"windows: [{NIGHT}]\n  timeZone: Europe/Belrin", 1, "Europe/Berlin"),
        (f'windows: [{NIGHT}, {{start: "05:00", end: "07:00"}}]', 0, "overlaps spec.windows[0]; they are open as one"),
        (f"windows: [{NIGHT}]\n  deadline: 1h", 0, "closed for up to 16h, and the deadline is 1h"),
        (
            "always: true\n  webhooks: {signingKey: {secret: s, key: k}, allow: ['https://a.example.com/../b']}",
            1,
            "no address can match it",
        ),
        ("always: true\n  webhooks: {signingKey: {secret: s, key: k}, allow: ['https://*.com']}", 0, "every site"),
    ],
)
def test_a_plan_says_what_is_wrong_with_a_window(tmp_path: Path, spec: str, exit_code: int, says: str) -> None:
    kinds = tmp_path / "kinds.yaml"
    window = f"""\
apiVersion: sluice.dev/v1alpha1
kind: BatchWindow
metadata: {{name: night}}
spec:
  routes: [house]
  {spec}
"""
    kinds.write_text(route_yaml("https://models.example.com/v1") + window)
    said = CliRunner().invoke(plan, [str(kinds)])
    assert said.exit_code == exit_code, said.output
    assert says in " ".join(said.output.split())


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Scripted() as up:
        up.otherwise(text("Bonjour"))
        async with serving(config(route([backend(up.url)])), batches=tmp_path / "batch") as gateway:
            yield gateway


async def asked(served: Served, window: BatchWindow) -> httpx.Response:
    """A deferred request under this window, or its status where it was taken in."""
    await served.gateway.swap(with_windows(served.gateway.serving.config, window))
    async with httpx.AsyncClient(base_url=served.url, timeout=30.0) as client:
        made = await client.post(CHAT, json=ASK, headers=ASYNC)
        return await client.get(made.headers["location"]) if made.status_code == 202 else made


async def test_a_deadline_before_the_opening_is_refused_or_told_as_the_policy_says(served: Served) -> None:
    refused = await asked(served, closed_window("main", deadline=3_600.0, missed="Fail"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "deadline_before_window")
    assert "after the deadline of 1.0 h: nothing would be done in time" in refused.json()["error"]["message"]
    late = (await asked(served, closed_window("main", deadline=3_600.0, missed="Warn"))).json()
    assert (late["status"], late["window"]) == ("queued", "night")
    assert late["notice"].endswith("after the deadline of 1.0 h: it is late")
    outside = (await asked(served, closed_window("main", deadline=3_600.0))).json()
    assert outside["notice"].endswith(": it runs outside of it")
    assert "notice" not in (await asked(served, closed_window("main"))).json()


async def test_a_message_batch_that_would_be_late_is_refused_too(served: Served) -> None:
    late = closed_window("main", deadline=3_600.0, missed="Fail")
    await served.gateway.swap(with_windows(served.gateway.serving.config, late))
    params = {"model": "auto", "max_tokens": 9, "messages": ASK["messages"]}
    async with httpx.AsyncClient(base_url=served.url) as client:
        made = await client.post("/v1/messages/batches", json={"requests": [{"custom_id": "a", "params": params}]})
    assert made.status_code == 409
    assert "after the deadline of 1.0 h" in made.json()["error"]["message"]


@pytest.mark.parametrize("missed", ["Fail", "Warn"])
async def test_one_that_never_opens_again_takes_nothing_in(served: Served, missed: Any) -> None:
    past = ExceptionalDay(date="2020-01-01", windows=(DayWindow(start="00:00", end="06:00"),))
    never = BatchWindow(name="once", windows=(), exceptions=(past,), routes=("main",), missed=missed)
    refused = await asked(served, never)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "window_never_opens")
    assert "BatchWindow once never opens again" in refused.json()["error"]["message"]


async def test_one_whose_zone_this_machine_lacks_is_told_and_the_others_are_served(served: Served) -> None:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    night = Window(days=days, start="22:00", end="06:00")
    refused = await asked(served, BatchWindow(name="far", time_zone="Mars/Olympus", windows=(night,), routes=("main",)))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "window_unreadable")
    assert '"Mars/Olympus" is not a time zone' in refused.json()["error"]["message"]
    async with httpx.AsyncClient(base_url=served.url) as client:
        assert (await client.post(CHAT, json=ASK)).status_code == 200


async def test_overlapping_windows_are_open_as_one(served: Served) -> None:
    now = datetime.datetime.now(datetime.UTC)
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)
    spans = [(start, now + datetime.timedelta(minutes=20)), (now - datetime.timedelta(minutes=20), end)]
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    windows = tuple(Window(days=days, start=f"{a:%H:%M}", end=f"{b:%H:%M}") for a, b in spans)
    status = (await asked(served, BatchWindow(name="day", windows=windows, routes=("main",)))).json()
    assert status["status"] in ("queued", "running", "completed")
    assert "window" not in status


async def test_the_admin_port_shows_windows_and_what_waits_for_them(served: Served, tmp_path: Path) -> None:
    assert (await asked(served, closed_window("main"))).status_code == 200
    async with httpx.AsyncClient() as admin:
        shown = (await admin.get(served.admin + "/-/batches")).json()
    night, unnamed = shown["windows"]
    assert (night["name"], night["routes"], night["open"], night["queued"]) == ("night", ["main"], False, 1)
    assert [one["end"] - one["start"] for one in night["openings"]] == [3_600.0, 3_600.0]
    assert (unnamed["name"], unnamed["open"], unnamed["queued"]) == (None, True, 0)
    assert shown["reason"] is None
    async with serving(served.gateway.serving.config) as plain, httpx.AsyncClient() as admin:
        none = (await admin.get(plain.admin + "/-/batches")).json()
        assert (none["windows"], none["batches"]) == ([], [])
        assert "start it with --data" in none["reason"]
        assert (await admin.get(plain.admin + "/-/webhooks")).status_code == 501
