"""A policy's own embedding model is used for its asks, and its vectors are compared with no other model's."""

from typing import TYPE_CHECKING, Any

import pytest

from doubles.cached import Hands, Told, axis, policy, printed, put
from doubles.classes import Classes, said
from doubles.shelf import Shelf
from sluice_sidecar.cache.cache import Cache
from sluice_sidecar.cache.embedders.embedder import EmbeddingError
from sluice_sidecar.config import BuiltinEmbedding, Embedding, EmbeddingEndpoint, OnnxEmbedding, Paraphrase, Policy

if TYPE_CHECKING:
    from sluice_sidecar.cache.embed import Vector

ASKED = "How do I reset my password?"
REWORDED = "Please tell me how to reset my password"
FOLDER = OnnxEmbedding(path="/models/small")
ENDPOINT = EmbeddingEndpoint(url="http://127.0.0.1:9/v1", model="small")


class Own(Told):
    """An embedder of a policy's own."""

    def __init__(self, identity: str, **vectors: Any) -> None:
        super().__init__(**vectors)
        self.identity = identity
        self.closed = False

    def close(self) -> None:
        self.closed = True


class OwnClasses:
    """A policy's own embedder that gives what another gives."""

    identity = "classes"

    def __init__(self, classes: Classes) -> None:
        self._classes = classes

    async def __call__(self, text: str) -> "Vector":
        return await self._classes(text)

    def close(self) -> None:
        """Nothing to let go of."""


def loose(embedding: Embedding) -> Policy:
    return policy(paraphrase=Paraphrase(similarity=0.9), embedding=embedding)


async def hits(cache: Cache, kept: Policy) -> bool:
    return (await cache.look(printed(REWORDED, kept=kept), kept)).hit is not None


async def test_each_policy_has_its_own() -> None:
    builtin, own = Told(**{REWORDED: axis(0.5)}), Own("small 1", **{REWORDED: axis(0.95)})
    cache = Cache(Shelf(), builtin)
    cache.use(builtin, {FOLDER: own})
    await put(cache, printed(ASKED, kept=loose(FOLDER)), loose(FOLDER))
    assert await hits(cache, loose(FOLDER))
    assert (builtin.asked, own.asked) == ([], [ASKED, REWORDED])


@pytest.mark.parametrize("filled", [FOLDER, BuiltinEmbedding()])
async def test_what_another_model_embedded_is_no_neighbour(filled: Embedding) -> None:
    """The same policy and ask under another embedding: its key is the same, its neighbours are not."""
    other = BuiltinEmbedding() if filled == FOLDER else FOLDER
    cache = Cache(Shelf(), None)
    cache.use(Told(), {FOLDER: Own("small 1")})
    await put(cache, printed(ASKED, kept=loose(filled)), loose(filled))
    assert await hits(cache, loose(filled))
    assert not await hits(cache, loose(other))
    assert (await cache.look(printed(ASKED, kept=loose(other)), loose(other))).hit is not None


async def test_neither_is_what_its_files_before_embedded() -> None:
    shelf = Shelf()
    cache = Cache(shelf, None)
    cache.use(None, {FOLDER: Own("small 1")})
    await put(cache, printed(ASKED, kept=loose(FOLDER)), loose(FOLDER))
    cache.use(None, {FOLDER: Own("small 2")})
    assert not await hits(cache, loose(FOLDER))
    cache.use(None, {FOLDER: Own("small 1")})
    assert await hits(cache, loose(FOLDER))


async def test_a_model_that_is_gone_when_its_answer_is_stored_leaves_nothing_to_others() -> None:
    cache = Cache(Shelf(), None)
    cache.use(Told(), {FOLDER: Own("small 1")})
    kept = loose(FOLDER)
    fp = printed(ASKED, kept=kept)
    look = await cache.look(fp, kept)
    cache.use(Told())
    await put(cache, fp, kept, look=look)
    assert not await hits(cache, loose(BuiltinEmbedding()))


async def test_a_failing_one_is_a_miss_of_its_policy_alone(caplog: pytest.LogCaptureFixture) -> None:
    failing, well = Own("a"), Own("b", **{REWORDED: axis(0.95)})
    failing.failure = EmbeddingError("the endpoint is down")
    cache = Cache(Shelf(), None)
    cache.use(None, {ENDPOINT: failing, FOLDER: well})
    for _ in range(3):
        await put(cache, printed(ASKED, kept=loose(FOLDER)), loose(FOLDER))
        assert await hits(cache, loose(FOLDER))
        assert not await hits(cache, loose(ENDPOINT))
    assert [record.message for record in caplog.records].count("no embedding: asks are matched identically only") == 1
    assert cache.stats()["counts"]["embedding_errors"] == 3


async def test_what_was_proven_with_one_model_is_not_proven_with_another() -> None:
    shelf, clock, classes = Shelf(), Hands(), Classes()
    builtin = policy(label=True, bound=0.1)
    own = builtin.model_copy(update={"embedding": FOLDER})

    async def open_under(kept: Policy, asks: int) -> bool:
        """Whether labels are given by a gateway that starts with what is stored, after so many asks."""
        cache = Cache(shelf, None, clock=clock, monotonic=clock, replica="one")
        cache.use(classes, {FOLDER: OwnClasses(classes)})
        for count in range(asks):
            text, answer = classes.ask()
            fp = printed(text, kept=kept)
            await put(cache, fp, kept, whole=said(answer), look=await cache.look(fp, kept))
            if count == 0:
                await cache.upkeep()
        clock.at += 20.0
        await cache.upkeep()
        return cache.learner.report()["support"]["label"].open

    assert await open_under(builtin, 250)
    assert await open_under(builtin, 20)
    assert not await open_under(own, 20)
