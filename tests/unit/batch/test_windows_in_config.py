"""BatchWindows in a Config: only those that are sound."""

from doubles.objects import custom, parsed, route, window
from sluice_operator.compile import compile  # noqa: A004
from sluice_operator.credentials import ClusterView
from sluice_sidecar.config import BatchWindow, Window

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def test_a_window_becomes_a_section() -> None:
    wanted = window("r", timeZone="Europe/Berlin", concurrency=8, deadline="12h", deadlinePolicy="Warn")
    config = compile(parsed(route("r", custom("a")), wanted)).config
    night = Window(days=DAYS, start="22:00", end="06:00")
    assert config.windows == {
        "night": BatchWindow(
            name="night", time_zone="Europe/Berlin", windows=(night,), routes=("r",), concurrency=8, deadline=43_200.0,
            missed="Warn",
        )
    }  # fmt: skip


def test_a_cluster_has_the_same() -> None:
    objects = parsed(route("r", custom("a")), window("r"))
    config = compile(objects, cluster=ClusterView({})).config
    assert config.windows == compile(objects).config.windows != {}


def test_one_that_this_release_cannot_serve_is_left_out() -> None:
    config = compile(parsed(route("r", custom("a")), window("r", provider={"batchAPI": True}))).config
    assert config.windows == {}
