"""How long a supervised child waits before it is started again."""

from sluice_cli.supervisor.processes import Backoff


def test_the_wait_doubles_up_to_its_bound() -> None:
    backoff = Backoff(first=0.1, most=1.0, steady=30.0)
    assert [backoff.after(0.0) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_steady_life_is_forgiven() -> None:
    backoff = Backoff(first=0.1, most=1.0, steady=30.0)
    for _ in range(5):
        backoff.after(0.0)
    assert backoff.after(31.0) == 0.1
    assert backoff.after(0.0) == 0.2
