"""What the BatchWindows of a Config say of webhooks: whose keys sign, and which addresses may be named."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.destinations import Allowed, NotAllowed
from sluice_sidecar.batch.webhooks import Key, parse_keys
from sluice_sidecar.config import BatchWindow
from sluice_sidecar.credentials import SecretSource

log = logging.getLogger("sluice.batch")


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a BatchWindow says of webhooks."""

    keys: tuple[Key, ...]
    """All of them sign."""
    allowed: Allowed


class HookBook:
    """The windows' webhooks by name. `loopback`: plain http to this machine may be named too.

    Keys are read from `credentials` each time, so a key that is rotated signs from the next try on.
    """

    def __init__(self, credentials: SecretSource | None = None, *, loopback: bool = False) -> None:
        self._credentials, self._loopback = credentials, loopback
        self._windows: dict[str, tuple[BatchWindow, Allowed]] = {}
        self._told: dict[str, str] = {}

    def use(self, windows: Mapping[str, BatchWindow]) -> None:
        """Obeys these from now on."""
        self._windows = {}
        for window in windows.values():
            if window.webhooks is not None:
                try:
                    allowed = Allowed(window.webhooks.allow, loopback=self._loopback)
                except ValueError as error:
                    log.error("BatchWindow %s: no webhook is sent: %s", window.name, error)
                else:
                    self._windows[window.name] = window, allowed

    def of(self, window: str) -> Hooks | None:
        """What holds for a BatchWindow now; None where it is gone, has no webhooks, or its key is not there."""
        found = self._windows.get(window)
        if found is None or found[0].webhooks is None or self._credentials is None:
            return None
        key = found[0].webhooks.signing_key
        value = self._credentials.get(key.secret, key.key)
        try:
            keys = parse_keys(value or "")
        except ValueError as error:
            self._say(window, f"{error}: {self._credentials.where(key.secret, key.key)}")
            return None
        self._told.pop(window, None)
        return Hooks(keys, found[1])

    def admit(self, url: str, route: str | None) -> str:
        """The BatchWindow by which an address may be called for a route; None: for any. Raises Problem(400)."""
        able = {name: one for name, one in self._windows.items() if route is None or route in one[0].routes}
        why = (
            f"no BatchWindow with webhooks names the route {route}; give one that does spec.webhooks"
            if route is not None
            else "no BatchWindow has webhooks; give one spec.webhooks"
        )
        for name, (_, allowed) in able.items():
            try:
                allowed.destination(url)
            except NotAllowed as error:
                why = str(error)
            else:
                return name
        raise Problem(400, "webhook_not_allowed", f"{why}.", param="sluice_webhook")

    def _say(self, window: str, why: str) -> None:
        if self._told.get(window) != why:
            self._told[window] = why
            log.error("BatchWindow %s: webhooks cannot be signed: %s", window, why)
