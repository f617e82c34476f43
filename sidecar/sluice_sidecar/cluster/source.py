"""What a gateway in a cluster serves, from the API server; from the mounted files where that is away at the start."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from sluice_sidecar.cluster.api import Api, ApiError, Found
from sluice_sidecar.cluster.credentials import ClusterCredentials
from sluice_sidecar.cluster.places import (
    CONFIG_KEY,
    CONFIG_MAP,
    CREDENTIALS_SECRET,
    ENDPOINTS_KEY,
    ENDPOINTS_MAP,
    SHARD_KEY,
    SHARDS_KEY,
    SIGNATURE_KEY,
    Places,
)
from sluice_sidecar.cluster.relayed import check_stores
from sluice_sidecar.cluster.shards import Shard, joined, matches, shards
from sluice_sidecar.config import Cascade, Config, Credential, Endpoints, HttpCheck
from sluice_sidecar.credentials import stamp
from sluice_sidecar.upstream.errors import UpstreamError
from sluice_sidecar.watch import RefusedError, reason

TICK = 1.0
"""Seconds between two looks at mounted files, and at shards that did not match."""

Adopt = Callable[[Config], Awaitable[None]]

_log = logging.getLogger("sluice.cluster")


class Source:
    """Follows the namespace's objects; `look` adopts what is new. Parts that cannot be served are reported once, and
    what was served stays. `shared` also follows the credentials, and serves a Config once it holds those that it names
    and finds that the operator signed it; Endpoints are taken alike. While the API server is away at the start it has
    no credential, and serves what is mounted as a sidecar does.

    `adopt` raises ValueError for a Config that it refuses as a whole. `serving` is the Config as the operator wrote it.
    """

    def __init__(
        self,
        api: Api,
        places: Places,
        namespace: str,
        credentials: ClusterCredentials,
        *,
        shared: bool,
        adopt: Adopt,
        on_endpoints: Callable[[Endpoints], None],
        on_refused: Callable[[str], None],
    ) -> None:
        self._api, self._places, self._credentials, self._shared = api, places, credentials, shared
        self._namespace, self._base = namespace, f"/api/v1/namespaces/{namespace}/"
        self._adopt, self._on_endpoints, self._on_refused = adopt, on_endpoints, on_refused
        self._changed, self._adopted = asyncio.Event(), asyncio.Event()
        self._data: Mapping[str, str] | None = None
        self._from_api = {CONFIG_MAP: False, ENDPOINTS_MAP: False}
        self._parts: dict[Shard, str] = {}
        self._text = self._signature = self._endpoints = ""
        self._offered = "", ""
        self._verified = False
        self._latest: Config | None = None
        self._checked: Config | None = None
        self._away: dict[str, str] = {}
        self._bundle: object = None
        self.waiting = ""
        """Which credential the latest Config waits for."""
        self.serving: Config | None = None

    def followers(self) -> Iterator[Coroutine[None, None, None]]:
        """One endless task for each object that is followed."""
        yield self._follow("configmaps", CONFIG_MAP, self._config_map)
        yield self._follow("configmaps", ENDPOINTS_MAP, self._endpoints_map)
        if self._shared:
            yield self._follow("secrets", CREDENTIALS_SECRET, self._secret)

    async def run(self) -> None:
        """Looks until cancelled, at once whenever something changed."""
        while True:
            await self._wait()
            await self.look()

    async def first(self, seconds: float) -> None:
        """Waits until a Config was adopted, at most so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._adopted.wait()
        except TimeoutError:
            _log.warning("no configuration after %g s: %s", seconds, self.waiting or "there is none yet")

    async def look(self) -> None:
        """Adopts what changed since the last look."""
        bundle, self._bundle = self._bundle, stamp(self._places.ca_bundle)
        changed = self._credentials.refresh() or bundle != self._bundle
        if changed:
            self._take_endpoints()
        try:
            changed = await self._parse() or changed
        except ValueError as problem:
            self._refuse(problem)
        if not changed or self._latest is None:
            return
        lacking = self._lacks(self._latest) if self._shared else ""
        if lacking:
            if lacking != self.waiting:
                _log.warning("the new configuration waits for %s", lacking)
            self.waiting = lacking
            return
        self.waiting = ""
        try:
            self._check_signature(self._latest)
            check_stores(self._latest)
            await self._adopt(self._latest)
            self.serving = self._latest
            self._adopted.set()
        except ValueError as problem:
            self._refuse(problem)

    async def _parse(self) -> bool:
        """Whether a new Config was read; raises ValueError for what is none, once."""
        data = self._data
        if data is None:
            return False
        try:
            text = await self._whole(data)
            if text is None:
                return False  # looked at again in a TICK
            self._data = None if self._data is data else self._data
            signature = data.get(SIGNATURE_KEY, "") if self._shared else ""
            if (text, signature) == (self._text, self._signature):
                return False
            self._text, self._signature = text, signature
            self._latest = Config.model_validate_json(text)
        except ValidationError as problem:
            raise RefusedError(f"ConfigMap {CONFIG_MAP}: {reason(problem)}") from None
        except ValueError:
            self._data = None
            raise
        return True

    def _lacks(self, config: Config) -> str:
        if self._from_api[CONFIG_MAP] and not self._credentials.taken:
            return f"Secret {CREDENTIALS_SECRET}"
        return lacks(config, self._credentials)

    def _check_signature(self, config: Config) -> None:
        """Raises RefusedError for a Config that the operator did not sign.

        One that was found signed stays so: a new salt comes a moment before the new signature.
        """
        if not self._shared or not self._credentials.taken or config is self._checked:
            return
        if not self._credentials.signed(self._namespace, self._text, self._signature):
            raise RefusedError(_not_ours(CONFIG_MAP))
        self._checked = config

    async def _whole(self, data: Mapping[str, str]) -> str | None:
        wanted = shards(data)
        for shard in wanted:
            if shard in self._parts:
                continue
            text = await self._part(shard)
            if text is not None and matches(text, shard):
                self._parts[shard] = text
        self._parts = {shard: text for shard, text in self._parts.items() if shard in wanted}
        return joined(data, self._parts)

    async def _part(self, shard: Shard) -> str | None:
        if not self._from_api[CONFIG_MAP]:
            return _read(self._places.config / shard.name)
        try:
            found = await self._api.get(f"{self._base}configmaps/{shard.name}")
        except (ApiError, UpstreamError, OSError):
            return None
        text = found.get("data", {}).get(SHARD_KEY)
        return text if isinstance(text, str) else None

    def _follow(self, kind: str, name: str, tell: Callable[[Found], None]) -> Coroutine[None, None, None]:
        def told(found: Found | None) -> None:
            if self._away.pop(name, None):
                _log.info("%s can be read again", name)
            if found is not None:  # deleted: what is served stays
                tell(found)
                self._changed.set()

        def away(problem: Exception) -> None:
            if self._away.get(name) != str(problem):
                self._away[name] = str(problem)
                _log.warning("cannot read %s, what is served stays: %s", name, problem)
            self._mounted(name)

        return self._api.follow(self._base + kind, name, told, away)

    def _config_map(self, found: Found) -> None:
        self._from_api[CONFIG_MAP] = True
        self._data = found.get("data") or {}

    def _endpoints_map(self, found: Found) -> None:
        self._from_api[ENDPOINTS_MAP] = True
        data = found.get("data") or {}
        self._offered = data.get(ENDPOINTS_KEY, "{}"), data.get(SIGNATURE_KEY, "")
        self._take_endpoints()

    def _secret(self, found: Found) -> None:
        try:
            self._credentials.take(found.get("data") or {})
        except ValueError as problem:
            self._refuse(problem)

    def _take_endpoints(self) -> None:
        """Takes the Endpoints that were shown last; with credentials, those alone that the operator signed.

        As a Config, what was found signed stays so, and the Secret comes before what the API server says is believed.
        """
        text, signature = self._offered
        checks = self._shared and self._credentials.taken
        if text == self._endpoints and self._verified >= checks:
            return
        if self._shared and not checks and self._from_api[ENDPOINTS_MAP]:
            return
        if checks and not self._credentials.signed(self._namespace, text, signature, "endpoints"):
            # Not reported: a new salt comes a moment before the new signature, and no Config tells that it is over.
            _log.error("refused, what was served before stays: %s", _not_ours(ENDPOINTS_MAP))
            return
        self._endpoints, self._verified = text, checks
        try:
            self._on_endpoints(Endpoints.model_validate_json(text))
        except ValidationError as problem:
            self._refuse(RefusedError(f"ConfigMap {ENDPOINTS_MAP}: {reason(problem)}"))

    def _mounted(self, name: str) -> None:
        """Takes the mounted copy of an object that the API server has not shown yet: that one may be older."""
        if self._from_api.get(name, True):
            return
        if name == ENDPOINTS_MAP:
            text = _read(self._places.endpoints / ENDPOINTS_KEY)
            if text is not None:
                self._offered = text, _read(self._places.endpoints / SIGNATURE_KEY) or ""
                self._take_endpoints()
            return
        read = {key: _read(self._places.config / key) for key in (CONFIG_KEY, SHARDS_KEY, SIGNATURE_KEY)}
        data = {key: text for key, text in read.items() if text is not None}
        if data:
            self._data = data
            self._changed.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(TICK):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    def _refuse(self, problem: ValueError) -> None:
        _log.error("refused, what was served before stays: %s", problem)
        self._on_refused(str(problem))


def lacks(config: Config, credentials: ClusterCredentials) -> str:
    """The first credential that `config` names in a version that is not here, for people; "" where all are."""
    for credential in _named(config):
        if not credentials.holds(credential):
            return f"version {credential.version} of credential {credential.secret}/{credential.key}"
    keys = config.gateway.keys_secret
    if keys is not None and not credentials.holds_keys(keys, config.gateway.keys_version):
        return f"version {config.gateway.keys_version} of the callers' keys in Secret {keys}"
    return ""


def _not_ours(name: str) -> str:
    cure = "who writes it anew; find out who else may write it"
    return f"ConfigMap {name}: its {SIGNATURE_KEY} is not the operator's, {cure}"


def _named(config: Config) -> Iterator[Credential]:
    for route in config.routes.values():
        for backend in route.backends.values():
            if backend.credential is not None:
                yield backend.credential
        if isinstance(route.strategy, Cascade):
            for check in route.strategy.checks:
                if isinstance(check, HttpCheck) and check.credential is not None:
                    yield check.credential


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
