"""The API server is asked once in a while whose token it is, and never keeps many waiting at once."""

import asyncio

import pytest

from sluice_operator.admission.known_tokens import AT_ONCE, DOUBTED, TRUSTED, KnownTokens
from sluice_operator.cluster_error import UNREACHABLE, ClusterError
from sluice_operator.plan.plan import Ref
from sluice_operator.token_identity import TokenIdentity

WHO = TokenIdentity("team", "app", "pod", "uid")


class Asked:
    """A review that knows one token."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 0.0
        self.known = KnownTokens(self.review, lambda: self.now)

    async def review(self, token: str) -> TokenIdentity | None:
        self.asked.append(token)
        if token == "away":
            raise ClusterError(Ref("v1", "TokenReview", None, "*"), UNREACHABLE, "away")
        return WHO if token == "good" else None


@pytest.mark.parametrize(("token", "whose", "seconds"), [("good", WHO, TRUSTED), ("bad", None, DOUBTED)])
async def test_an_answer_holds_for_a_while(token: str, whose: TokenIdentity | None, seconds: float) -> None:
    api = Asked()
    for moment in (0.0, seconds - 0.1, seconds + 0.1):
        api.now = moment
        assert await api.known.identity(token) == whose
    assert api.asked == [token] * 2


async def test_no_answer_is_no_answer_to_keep() -> None:
    api = Asked()
    for _ in range(2):
        with pytest.raises(ClusterError):
            await api.known.identity("away")
    assert len(api.asked) == 2


async def test_only_so_many_wait_for_the_api_server() -> None:
    release, waiting = asyncio.Event(), 0

    async def slow(_token: str) -> TokenIdentity | None:
        nonlocal waiting
        waiting += 1
        await release.wait()
        return None

    known = KnownTokens(slow)
    async with asyncio.TaskGroup() as group:
        for number in range(3 * AT_ONCE):
            group.create_task(known.identity(f"t{number}"))
        for _ in range(10):
            await asyncio.sleep(0)
        held = waiting
        release.set()
    assert held == AT_ONCE
    assert waiting == 3 * AT_ONCE
