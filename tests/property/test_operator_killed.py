"""Killed after any write and started anew, the operator ends where an undisturbed one does; gateways lose nothing.

What holds in each state between: gateways that read it get the old Config or the new one, with its credentials.
"""

import asyncio
import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.fake_cluster import FakeCluster, Killed
from doubles.planning import NAMESPACE, Data, fresh, lived
from doubles.random_namespaces import HOUSE, LATER_SECRETS, OPENAI, SECRETS, objects, sound_objects
from doubles.restarted import started
from sluice_operator import names
from sluice_operator.kinds import API_VERSION
from sluice_operator.plan.owned import values
from sluice_operator.plan.plan import Ref
from sluice_operator.plan.seen import Secret
from sluice_operator.plan.store_secrets import qdrant_token, redis_users
from sluice_sidecar.cluster.credentials import ClusterCredentials
from sluice_sidecar.cluster.places import Places
from sluice_sidecar.cluster.shards import Shard, joined, shards
from sluice_sidecar.cluster.source import lacks
from sluice_sidecar.config import Config
from sluice_sidecar.serving import check_grants

unhurried = settings(deadline=None, max_examples=15)  # of some dozens of starts each

CONFIG = Ref("v1", "ConfigMap", NAMESPACE, names.CONFIG_MAP)
CREDENTIALS = Ref("v1", "Secret", NAMESPACE, names.CREDENTIALS_SECRET)
NAMESPACES = st.one_of(sound_objects(), sound_objects(), objects())
BEFORE = st.one_of(st.just([OPENAI, HOUSE]), SECRETS)
AFTER = st.one_of(st.just([OPENAI, HOUSE]), LATER_SECRETS)
SERVERS = {"uid", "resourceVersion", "generation"}
FOREIGN: tuple[Data, ...] = (
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sluice-mine", "namespace": NAMESPACE}, "data": {}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "sluice-app", "namespace": NAMESPACE, "labels": {names.MANAGED_BY: "Helm"}},
    },
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": names.CONFIG_MAP, "namespace": "other", "labels": {names.MANAGED_BY: names.MANAGED}},
    },
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": NAMESPACE, "labels": {names.GATEWAY: "sidecar"}},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    },
)


def written(secret: Secret) -> Data:
    """A user's Secret."""
    metadata = {
        "name": secret.name,
        "namespace": NAMESPACE,
        "labels": {names.CREDENTIAL: "true"},
        "annotations": {names.HOSTS: ",".join(secret.hosts)},
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in secret.values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def users(ref: Ref, body: Data) -> bool:
    """Whether an object is one that users write and these tests change."""
    labels = body["metadata"].get("labels") or {}
    return ref.api_version == API_VERSION or labels.get(names.CREDENTIAL) == "true"


def change(cluster: FakeCluster, found: list[Data], secrets: list[Secret]) -> None:
    """Users leave these objects and Secrets, and no others; statuses stay."""
    wanted = {Ref.of(body): body for body in (*map(lived, found), *map(written, secrets))}
    for ref in [ref for ref, body in cluster.objects.items() if users(ref, body) and ref not in wanted]:
        cluster.remove(ref)
    for ref, body in wanted.items():
        old = cluster.objects.get(ref, {})
        cluster.put({**body, **({"status": old["status"]} if "status" in old else {})})


def holding(cluster: FakeCluster) -> ClusterCredentials:
    """The credentials as the shared gateway has them."""
    found = ClusterCredentials(Places(Path("/nowhere")))
    found.take((cluster.objects.get(CREDENTIALS) or {}).get("data") or {})
    return found


def part(cluster: FakeCluster, shard: Shard) -> str:
    there = cluster.objects.get(Ref("v1", "ConfigMap", NAMESPACE, shard.name))
    assert there is not None, f"the index names the shard {shard.name}, which is not there"
    return str(there["data"][names.SHARD_KEY])


def config_seen(cluster: FakeCluster) -> Config | None:
    """What a gateway reads, as it reads it; None: no Config is published. Fails where one is and is not whole."""
    index = cluster.objects.get(CONFIG)
    if index is None:
        return None
    text = joined(index["data"], {shard: part(cluster, shard) for shard in shards(index["data"])})
    assert text is not None, "a shard is not what the index says"
    assert holding(cluster).signed(NAMESPACE, text, index["data"][names.SIGNATURE_KEY]), "it is not signed"
    return Config.model_validate_json(text)


def state(cluster: FakeCluster) -> dict[Ref, Data]:
    """What is there, without what the server counts."""
    return {
        ref: {**body, "metadata": {key: value for key, value in body["metadata"].items() if key not in SERVERS}}
        for ref, body in cluster.objects.items()
    }


class Gateways:
    """Reads each state that a write leaves, as gateways do, and fails where it could not be served."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.read = [config_seen(cluster)]
        cluster.told = self.look

    def look(self, verb: str, ref: Ref) -> None:
        """After one write."""
        assert ref.namespace == NAMESPACE
        if verb in {"status", "event"}:
            assert ref.api_version == API_VERSION
        else:
            assert ref not in {Ref.of(body) for body in FOREIGN}, f"{verb} of {ref}, which is somebody else's"
            assert not users(ref, self._cluster.objects.get(ref, {"metadata": {}})), f"{verb} of a user's {ref}"
        config, credentials = config_seen(self._cluster), holding(self._cluster)
        if config is not None:
            # A rotated value is there before the Config that names it: who starts in between waits for that.
            lacking = lacks(config, credentials)
            for route in () if lacking else config.routes.values():
                check_grants(route, credentials)
            if (verb, ref) == ("apply", CONFIG):
                assert lacking == ""
        self.read.append(config)


def settled(cluster: FakeCluster, random: str) -> None:
    """One undisturbed start; the next has nothing to write."""
    asyncio.run(started(cluster, random))
    done = len(cluster.writes)
    asyncio.run(started(cluster, fresh(99)))
    assert cluster.writes[done:] == []


def stores_agree(cluster: FakeCluster) -> None:
    """What gateways sign in with is what the managed servers take."""
    mine, servers = (
        values(cluster.objects.get(Ref("v1", "Secret", NAMESPACE, name)))
        for name in (names.STORE_SECRET, names.STORE_ADMIN_SECRET)
    )
    if "redis-users" in servers:
        queue = Ref("apps/v1", "Deployment", NAMESPACE, names.BATCH_NAME) in cluster.objects
        users = redis_users(NAMESPACE, mine["redis-password"], servers["redis-operator"], queue=queue)
        assert servers["redis-users"] == users
    if "qdrant-key" in servers:
        assert mine["qdrant-api-key"] == qdrant_token(NAMESPACE, servers["qdrant-key"])


@unhurried
@given(NAMESPACES, NAMESPACES, BEFORE, AFTER, st.sampled_from([700, names.SHARD_BYTES]), st.booleans())
def test_killed_after_any_write_it_ends_the_same_and_gateways_lose_nothing(
    first: list[Data], second: list[Data], secrets: list[Secret], later: list[Secret], shard: int, luck: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "SHARD_BYTES", shard)
        before = FakeCluster(*FOREIGN)
        change(before, first, secrets)
        settled(before, fresh(0))
        change(before, second, later)
        whole = before.copy()
        gateways = Gateways(whole)
        settled(whole, fresh(1))
        expected = {None if config is None else config.digest for config in (gateways.read[0], gateways.read[-1])}
        for writes in range(len(whole.writes) + 1):
            cluster = before.copy()
            gateways = Gateways(cluster)
            cluster.stop_after(writes)
            try:
                asyncio.run(started(cluster, fresh(1)))
            except Killed:
                cluster.stop_after(None)
            if luck:
                settled(cluster, fresh(2))
            else:
                asyncio.run(started(cluster, fresh(1)))
                assert state(cluster) == state(whole)
                assert {None if config is None else config.digest for config in gateways.read} <= expected
            stores_agree(cluster)
            for body in FOREIGN:
                assert cluster.objects[Ref.of(body)] == before.objects[Ref.of(body)]
