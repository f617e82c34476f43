"""kopf as a source of events: it lists and watches, and hands over what it hears. It writes nothing, anywhere."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import kopf

from sluice_operator.sources import Source

Deliver = Callable[[Source, str | None, dict[str, Any]], None]
"""Takes an event: its source, its type (None: of a list), the whole object with apiVersion and kind. Never raises."""

INACTIVITY = 70.0
"""Seconds without an event or a bookmark (they come each minute) after which a watch is taken for dead."""
CONNECT = 10.0
ROUND = 300
"""Seconds after which the API server ends a watch, and it goes on from where it was."""
CLOSE = 0.1
"""Seconds that kopf's connections take to close after it ended: TLS says good-bye first."""
LEAVE = 5.0
"""Seconds that the watches have to end."""


class Nothing(kopf.DiffBaseStorage):
    """What kopf keeps of an object to compare it with later: nothing, as no handler asks what changed.

    Else it copies each object of each event as a whole, twice.
    """

    def build(self, *, body: kopf.Body, extra_fields: object = None) -> kopf.BodyEssence:
        """No part of the object."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """None was kept."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Keeps none."""


class WatchError(RuntimeError):
    """Nothing is watched any more."""


async def watch(sources: Iterable[Source], namespaces: Sequence[str], deliver: Deliver) -> None:
    """Watches until it is cancelled; `namespaces` empty: all. `deliver` is called in the caller's event loop.

    The API server is that of KUBECONFIG, else that of the pod. The kinds must be there before. Raises what kopf cannot
    recover from. kopf has a thread and an event loop of its own: at its end it cancels every task that it finds.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    stop = threading.Event()

    def hand_over(source: Source, event_type: str | None, body: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(deliver, source, event_type, body)

    def end(error: Exception | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            asyncio.run(_operator(tuple(sources), namespaces, hand_over, stop))
        except Exception as failed:
            error = failed
        with suppress(RuntimeError):  # the caller's loop is closed
            loop.call_soon_threadsafe(end, error)

    threading.Thread(target=run, name="watches", daemon=True).start()
    try:
        await asyncio.shield(ended)
        raise WatchError("the watches ended by themselves; the process must start again")
    finally:
        stop.set()
        await asyncio.wait({ended}, timeout=LEAVE)
        if ended.done():
            ended.exception()  # seen: whoever cancelled this asks for no more


async def _operator(
    sources: tuple[Source, ...], namespaces: Sequence[str], deliver: Deliver, stop: threading.Event
) -> None:
    for quiet in ("kopf.objects", "kopf._core.reactor.running"):
        logging.getLogger(quiet).setLevel(logging.ERROR)  # one line an event, and that signals are not kopf's
    await kopf.operator(
        registry=_registry(sources, deliver),
        settings=_settings(sources),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=list(namespaces),
        stop_flag=stop,
    )
    await asyncio.sleep(CLOSE)


def _registry(sources: Iterable[Source], deliver: Deliver) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**given: Any) -> Any:
        if os.environ.get("KUBECONFIG"):
            return kopf.login_with_kubeconfig(**given)
        return kopf.login_with_service_account(**given)

    for source in sources:
        _listen(registry, source, deliver)
    return registry


def _listen(registry: kopf.OperatorRegistry, source: Source, deliver: Deliver) -> None:
    @kopf.on.event(source.group, source.version, source.plural, registry=registry, id=f"see-{source}")
    async def see(event: Any, **_: Any) -> None:
        body = {**event["object"], "apiVersion": source.api_version, "kind": source.kind}
        deliver(source, event["type"], body)


def _settings(sources: Iterable[Source]) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True  # no right to list namespaces and CRDs is needed
    settings.watching.inactivity_timeout = INACTIVITY
    settings.watching.connect_timeout = CONNECT
    settings.watching.server_timeout = ROUND
    settings.persistence.diffbase_storage = Nothing()
    settings.queueing.worker_limit = None
    settings.process.ultimate_exiting_timeout = 10
    settings.execution.max_workers = 2
    for source in sources:
        if source.selector:
            settings.watching.label_selectors[source.group, source.version, source.plural] = source.selector
    return settings
