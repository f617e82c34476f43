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
REDIS_OPERATOR = "operator"
"""The user that has the server read its users anew, and may do nothing else."""
REDIS_COMMANDS = (
    "get", "set", "unlink", "hset", "hget", "hmget", "hdel", "hscan", "zadd", "zrem", "zcard", "zpopmin",
    "zrangebyscore", "sadd", "smembers", "expire", "xadd", "xrange", "xrevrange", "vadd", "vsim",
    "vrem", "vcard", "multi", "exec",
)  # fmt: skip
"""What gateways do in Redis, besides signing in: the very commands of their store."""
REDIS_QUEUE = (
    "+@hash", "+@set", "+@sortedset", "+@string", "-@dangerous", "+exists", "+unlink", "+expire", "+evalsha",
    "+script|load", "+waitaof", "+info",
)  # fmt: skip
"""What a queue of deferred requests takes besides: a script over data under the same keys, each of whose commands Redis
holds to these rights; proof that its writes are on the disk; and how much memory is left."""


def store_secrets(
    seen: Seen, config: Config, objects: Iterable[Kind], *, redis: bool, qdrant: bool, queue: bool = False
) -> list[Manifest]:
    """The gateways' Secret, and the managed servers' own; only with what is in use.

    `redis` and `qdrant` tell which servers are managed here, `queue` whether deferred requests are kept in that Redis;
    `objects` name the credentials of external ones.
    """
    present = values(seen.children.get(secret_ref(seen.namespace, names.STORE_SECRET)))
    admin = values(seen.children.get(secret_ref(seen.namespace, names.STORE_ADMIN_SECRET)))
    mine: dict[str, str] = {}
    servers: dict[str, str] = {}
    if redis:
        password = present.get("redis-password") or _derived(seen.fresh, "redis-password")
        own = admin.get("redis-operator") or _derived(seen.fresh, "redis-operator")
        mine |= {"redis-username": REDIS_USER, "redis-password": password}
        servers |= {"redis-users": redis_users(seen.namespace, password, own, queue=queue), "redis-operator": own}
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


def redis_users(namespace: str, password: str, operator: str, *, queue: bool = False) -> str:
    """The ACL file of redis-server: the gateways' user reaches its own key prefix alone, by its commands alone.

    `password` is theirs, `operator` that of REDIS_OPERATOR; `queue` adds what a queue takes. The last user can do
    nothing: see `redis_revision`.
    """
    commands = " ".join([*(REDIS_QUEUE if queue else ()), *(f"+{name}" for name in REDIS_COMMANDS)])
    users = (
        "user default off\n"
        "user health on nopass resetkeys resetchannels -@all +ping\n"
        f"user {REDIS_USER} on #{_sha256(password)} resetchannels ~{redis_prefix(namespace)}* "
        f"-@all +@connection -@dangerous {commands}\n"
        f"user {REDIS_OPERATOR} on #{_sha256(operator)} resetkeys resetchannels -@all +ping +acl|load +acl|users\n"
    )
    return f"{users}user revision-{_sha256(users)[:12]} off\n"


def redis_revision(users: str) -> str:
    """The user whose name tells which file a server has read: its last one."""
    return users.split()[-2]


def key_version(key: str) -> str:
    """What a server's pods are annotated with, so that they start anew when the key they start with is another one.

    Twelve digits of the SHA-256 of 256 random bits tell nobody the key.
    """
    return _sha256(key)[:12]


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
        if store is not None:
            yield from store.credentials()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _derived(fresh: str, purpose: str) -> str:
    return hmac.new(fresh.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
