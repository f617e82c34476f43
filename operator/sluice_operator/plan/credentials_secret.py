"""The namespace's aggregated Secret, which the shared gateway alone reads: values, versions, and where each may go.

Pure: random text comes with what was seen. A value stands in no other object than this one and the stores' Secrets.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sluice_operator import names
from sluice_operator.credentials import (
    ClusterView,
    Grant,
    entry,
    keys_version,
    may_go,
    provider_host,
    section_uses,
    version_of,
)
from sluice_operator.plan.owned import secret, values
from sluice_operator.plan.plan import Manifest, Ref
from sluice_operator.plan.seen import Seen
from sluice_sidecar.config import Config, canonical

Index = Mapping[str, Mapping[str, Any]]


def secret_ref(namespace: str, name: str) -> Ref:
    """The name of a Secret."""
    return Ref("v1", "Secret", namespace, name)


def salt_of(seen: Seen) -> str:
    """The namespace's salt: the one in the Secret, or a new one that the plan writes there before it is used."""
    return known_salt(seen.namespace, seen.children) or seen.fresh


def known_salt(namespace: str, children: Mapping[Ref, Manifest]) -> str:
    """The salt in the Secret; "" where there is none."""
    return values(children.get(secret_ref(namespace, names.CREDENTIALS_SECRET))).get(names.CREDENTIALS_SALT, "")


def cluster_view(seen: Seen) -> ClusterView:
    """What compile may know of the Secrets that were seen: versions, hosts and names."""
    present = _present(seen)
    salt = salt_of(seen)
    grants = {
        name: Grant({key: version_of(salt, value) for key, value in found.values.items()}, found.hosts)
        for name, found in seen.secrets.items()
    }
    held = {name: str(about.get("version", "")) for name, about in _index(present).items() if name in present}
    return ClusterView(grants, seen.unlabelled, held)


def credentials_secret(seen: Seen, config: Config, view: ClusterView) -> Manifest:
    """Every credential that the Config names. One whose Secret has gone keeps the value that gateways hold."""
    present = _present(seen)
    held = _index(present)
    data = {names.CREDENTIALS_SALT: salt_of(seen)}
    index: dict[str, dict[str, Any]] = {}
    for route in config.routes.values():
        for credential, address in section_uses(route):
            name = entry(credential.secret, credential.key)
            value = _value(seen, credential.secret, credential.key)
            if value is not None:
                grant = view.grants[credential.secret]
                about = index.setdefault(
                    name, {"version": grant.versions[credential.key], "hosts": sorted(set(grant.hosts))}
                )
                host = provider_host(address)
                if host and not may_go(about["hosts"], address):
                    about["hosts"] = sorted({*about["hosts"], host})
                data[name] = value
            elif name in held and name in present:
                index[name], data[name] = dict(held[name]), present[name]
    for name, about, value in (
        *_callers(seen, config, view, held, present),
        *_signing(seen, config, view, held, present),
    ):
        index.setdefault(name, about)
        if value is not None:
            data[name] = value
    data[names.CREDENTIALS_INDEX] = canonical(index).decode()
    return secret(seen.namespace, names.CREDENTIALS_SECRET, "credentials", data)


def widened(intent: Manifest, observed: Manifest | None) -> Manifest | None:
    """The intent with what it takes away still in it. None: it takes nothing away.

    Written before the Config that needs it no more, so that a gateway never lacks what it serves with.
    """
    new, old = values(intent), values(observed)
    index, was = _index(new), _index(old)
    gone = {name: about for name, about in was.items() if name not in index}
    narrowed = {
        name: {**about, "hosts": sorted({*about.get("hosts", ()), *was[name].get("hosts", ())})}
        for name, about in index.items()
        if name in was
        and not set(was[name].get("hosts", ())) <= set(about.get("hosts", ()))
        and was[name].get("version") == about.get("version")
    }
    if not gone and not narrowed:
        return None
    data = {name: old[name] for name in gone if name in old} | new
    data[names.CREDENTIALS_INDEX] = canonical({**gone, **index, **narrowed}).decode()
    return secret(intent["metadata"]["namespace"], intent["metadata"]["name"], "credentials", data)


def _callers(
    seen: Seen, config: Config, view: ClusterView, held: Index, present: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any], str | None]]:
    """The callers' keys, which are sent nowhere; the Secret's own name has the version of all of them."""
    name = config.gateway.keys_secret
    if name is None:
        return
    found = seen.secrets.get(name)
    if found is not None:
        grant = view.grants[name]
        yield name, {"version": keys_version(grant), "hosts": []}, None
        for key, value in found.values.items():
            yield entry(name, key), {"version": grant.versions[key], "hosts": []}, value
        return
    for known, about in held.items():
        if known == name or known.startswith(entry(name, "")):
            yield known, dict(about), present.get(known)


def _signing(
    seen: Seen, config: Config, view: ClusterView, held: Index, present: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any], str | None]]:
    """Keys that sign webhooks, which are sent nowhere."""
    for window in config.windows.values():
        if window.webhooks is None:
            continue
        key = window.webhooks.signing_key
        name, value = entry(key.secret, key.key), _value(seen, key.secret, key.key)
        if value is not None:
            yield name, {"version": view.grants[key.secret].versions[key.key], "hosts": []}, value
        elif name in held and name in present:
            yield name, dict(held[name]), present[name]


def _value(seen: Seen, secret_name: str, key: str) -> str | None:
    found = seen.secrets.get(secret_name)
    return found.values.get(key) if found else None


def _present(seen: Seen) -> dict[str, str]:
    return values(seen.children.get(secret_ref(seen.namespace, names.CREDENTIALS_SECRET)))


def _index(present: Mapping[str, str]) -> Index:
    try:
        found = json.loads(present.get(names.CREDENTIALS_INDEX, "{}"))
    except ValueError:
        return {}
    return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}
