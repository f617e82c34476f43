"""The Secrets of stores: what gateways sign in with, and what the managed servers know of it. Pure.

Values are made once, from random text that comes with what was seen, and kept while they are there.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from sluice_operator import credentials, names
from sluice_operator.kinds import Kind
from sluice_operator.plan.credentials_secret import secret_ref
from sluice_operator.plan.owned import secret, values
from sluice_operator.plan.plan import Manifest
from sluice_operator.plan.seen import Seen
from sluice_operator.sections import collection_name, redis_prefix
from sluice_sidecar.config import Config, Credential, canonical

REDIS_USER = "gateway"
"""The user that a namespace's gateways sign in as."""


def store_secrets(seen: Seen, config: Config, objects: Iterable[Kind], *, redis: bool, qdrant: bool) -> list[Manifest]:
    """The gateways' Secret, and the managed servers' own; only with what is in use.

    `redis` and `qdrant` tell which servers are managed here; `objects` name the credentials of external ones.
    """
    present = values(seen.children.get(secret_ref(seen.namespace, names.STORE_SECRET)))
    admin = values(seen.children.get(secret_ref(seen.namespace, names.STORE_ADMIN_SECRET)))
    mine: dict[str, str] = {}
    servers: dict[str, str] = {}
    if redis:
        password = present.get("redis-password") or _derived(seen.fresh, "redis-password")
        mine |= {"redis-username": REDIS_USER, "redis-password": password}
        servers["redis-users"] = redis_users(seen.namespace, password)
    if qdrant:
        key = admin.get("qdrant-key") or _derived(seen.fresh, "qdrant-key")
        mine["qdrant-api-key"] = qdrant_token(seen.namespace, key)
        servers["qdrant-key"] = key
    mine |= _external(seen, config, objects, present)
    made = []
    if servers:
        made.append(secret(seen.namespace, names.STORE_ADMIN_SECRET, "store", servers))
    if mine:
        made.append(secret(seen.namespace, names.STORE_SECRET, "store", mine))
    return made


def redis_users(namespace: str, password: str) -> str:
    """The ACL file of redis-server: the gateways' user reaches its own key prefix alone, by data commands alone."""
    prefix = redis_prefix(namespace)
    sha = hashlib.sha256(password.encode()).hexdigest()
    return (
        "user default off\n"
        "user health on nopass resetkeys resetchannels -@all +ping\n"
        f"user {REDIS_USER} on #{sha} resetchannels ~{prefix}* &{prefix}* +@all -@admin -@dangerous\n"
    )


def qdrant_token(namespace: str, key: str) -> str:
    """A JSON Web Token (HS256) by which Qdrant lets its bearer read and write the namespace's collection alone."""
    claims = {"access": [{"collection": collection_name(namespace), "access": "rw"}]}
    signed = f"{_base64url(canonical({'alg': 'HS256', 'typ': 'JWT'}))}.{_base64url(canonical(claims))}"
    return f"{signed}.{_base64url(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


def _external(seen: Seen, config: Config, objects: Iterable[Kind], present: dict[str, str]) -> dict[str, str]:
    """Credentials that the Config names; one whose Secret has gone keeps the value that is there."""
    wanted = {credential.key for credential in _of_stores(config) if credential.key.startswith("external-")}
    found = {name: present[name] for name in wanted if name in present}
    for value in objects:
        for use in credentials.uses(value):
            name = credentials.external_entry(use.key.secret, use.key.key)
            user = seen.secrets.get(use.key.secret)
            if use.store and name in wanted and user and use.key.key in user.values:
                found[name] = user.values[use.key.key]
    return found


def _of_stores(config: Config) -> Iterable[Credential]:
    stores = [policy.store for policy in config.policies.values()] + [config.gateway.state]
    for store in stores:
        if store is None:
            continue
        for credential in (store.api_key,) if store.type == "qdrant" else (store.username, store.password):
            if credential is not None:
                yield credential


def _derived(fresh: str, purpose: str) -> str:
    return hmac.new(fresh.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
