"""Requests to the backend that their task class names."""

import logging
from collections.abc import Collection

from sluice_sidecar import config
from sluice_sidecar.ask import Ask
from sluice_sidecar.route.classify import Classifier, Embed

log = logging.getLogger(__name__)


class Task:
    """Classifies the last user text. Whatever is not clear goes to the default backend."""

    __slots__ = ("_settings", "classifier")

    def __init__(self, settings: config.Task, embed: Embed | None, before: "Task | None" = None) -> None:
        """`embed` None: nothing can be classified, all go to the default. `before` lends its classifier when the
        examples are the same."""
        self._settings = settings
        self.classifier: Classifier | None = None
        if before is not None and before.classifier is not None and before._settings.examples == settings.examples:
            self.classifier = before.classifier
        elif embed is not None:
            self.classifier = Classifier(embed, settings.examples)

    async def choose(self, ask: Ask, able: Collection[str]) -> str:
        """See Strategy."""
        settings = self._settings
        name = settings.default
        if self.classifier is not None and ask.text:
            try:
                verdict = await self.classifier.classify(ask.text)
            except Exception as error:  # whatever an embedding model raises, the request must not suffer for it
                log.warning("task classification failed, the default backend %s is asked: %s", name, error)
            else:
                if verdict.margin >= settings.margin:
                    name = settings.backends.get(verdict.name, name)
        return name if name in able else settings.default
