"""All models of a run: those that the kinds want are kept running, and where they answer is told."""

import asyncio
from collections.abc import Mapping

from sluice_cli.supervisor.health import fits_beside
from sluice_cli.supervisor.model import Changed, Model, ModelSpec, Say

DRAIN_SECONDS = 60.0
"""How long a model that is replaced or gone may go on with what it was asked."""


class Models:
    """All models of a run. `changed` is called whenever an address or a problem is another."""

    def __init__(self, say: Say, changed: Changed) -> None:
        self._say, self._changed = say, changed
        self._models: dict[str, Model] = {}
        self._old: dict[str, Model] = {}  # answering until their successors do
        self._leaving: set[Model] = set()
        self._parting: set[asyncio.Task[None]] = set()
        self._unserved: dict[str, str] = {}

    @property
    def addresses(self) -> dict[str, tuple[str, ...]]:
        """Base URLs of the models that are ready, each by its newest process that is."""
        found: dict[str, tuple[str, ...]] = {}
        for name, model in self._models.items():
            url = model.url or (self._old[name].url if name in self._old else None)
            if url is not None:
                found[name] = (url + "/v1",)
        return found

    @property
    def problems(self) -> dict[str, str]:
        """Models that will not be ready without help, and why."""
        own = {name: model.problem for name, model in self._models.items() if model.problem is not None}
        return self._unserved | own

    @property
    def pids(self) -> dict[str, int]:
        """The process of each model that has one."""
        return {name: model.pid for name, model in self._models.items() if model.pid is not None}

    def want(self, specs: Mapping[str, ModelSpec], unserved: Mapping[str, str]) -> None:
        """Makes these the models: new ones start, gone ones end after what they were asked.

        A changed one is replaced once its successor is ready, if both fit into memory; else it ends first, and the
        gateway holds requests meanwhile. `unserved` are models that cannot run here, and why.
        """
        for name, why in unserved.items():
            if self._unserved.get(name) != why:
                self._say(f"model {name} is not started: {why}")
        self._unserved = dict(unserved)
        for name in [name for name in self._models if name not in specs]:
            self._part(self._models.pop(name))
            if name in self._old:
                self._part(self._old.pop(name))
        for name, spec in specs.items():
            now = self._models.get(name)
            if now is None:
                self._models[name] = Model(spec, self._say, self._moved)
            elif now.spec != spec:
                self._replace(name, now, spec)
        self._changed()

    async def stop(self) -> None:
        """Ends all of them; the gateways have stopped asking."""
        leaving = [*self._models.values(), *self._old.values()]
        self._models, self._old = {}, {}
        await asyncio.gather(*(model.stop() for model in leaving), *self._parting)

    def kill(self) -> None:
        """Ends all processes now; for a stop that must not wait."""
        for model in (*self._models.values(), *self._old.values(), *self._leaving):
            model.kill()

    def _replace(self, name: str, now: Model, spec: ModelSpec) -> None:
        if now.url is not None and now.pid is not None and name not in self._old and fits_beside(now.pid):
            self._say(f"model {name} changed: starting it anew; the one before answers until it is ready")
            self._old[name] = now
        else:
            self._say(f"model {name} changed: starting it anew; its requests wait")
            self._part(now)
        self._models[name] = Model(spec, self._say, self._moved)

    def _moved(self) -> None:
        """A model's address or problem is another."""
        for name in [name for name in self._old if self._models[name].url is not None]:
            self._part(self._old.pop(name))
        self._changed()

    def _part(self, model: Model) -> None:
        """Lets a model end what it was asked, and then ends it, in the background."""
        task = asyncio.create_task(model.stop(DRAIN_SECONDS))
        self._leaving.add(model)
        self._parting.add(task)
        task.add_done_callback(self._parting.discard)
        task.add_done_callback(lambda _: self._leaving.discard(model))
