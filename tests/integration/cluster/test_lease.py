"""Leadership on a real API server: one at a time, handed on at once, lost when the server is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest

from doubles.cut_off import Relay, relay
from doubles.kube import Api
from sluice_operator.cluster import KubeCluster
from sluice_operator.lease import Lease, LeaseError, Times

TIMES = Times(duration=5.0, deadline=3.0, retry=0.4)


class Replica:
    """One that would lead, with a connection of its own that can be cut."""

    def __init__(self, cluster: KubeCluster, between: Relay, namespace: str, identity: str) -> None:
        self.between = between
        self.lease = Lease(cluster, namespace, "sluice-operator", identity, TIMES)
        self.leading = asyncio.Event()
        self.finish = asyncio.Event()
        self.began = self.ended = 0.0
        self.task: asyncio.Task[None] = asyncio.create_task(self.lease.lead(self._work))

    async def _work(self) -> None:
        now = asyncio.get_running_loop().time
        self.began = now()
        self.leading.set()
        try:
            await self.finish.wait()
        finally:
            self.ended = now()
            self.leading.clear()


class Replicas:
    """Makes replicas of one installation."""

    def __init__(self, api: Api, namespace: str, stack: AsyncExitStack) -> None:
        self._api, self._namespace, self._stack = api, namespace, stack
        self.made: list[Replica] = []

    async def start(self, identity: str) -> Replica:
        between = await self._stack.enter_async_context(relay(self._api.layout.port))
        path = self._api.layout.folder / f"{self._namespace}-{identity}"
        server = f"https://127.0.0.1:{between.port}"
        path.write_text(self._api.kubeconfig.read_text().replace(self._api.server, server))
        cluster = await self._stack.enter_async_context(KubeCluster.connect(str(path)))
        self.made.append(Replica(cluster, between, self._namespace, identity))
        return self.made[-1]


@pytest.fixture
async def replicas(api: Api, namespace: str) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        made = Replicas(api, namespace, stack)
        yield made
        for replica in made.made:
            replica.task.cancel()
            with suppress(asyncio.CancelledError, LeaseError):
                await replica.task


def holder(api: Api, namespace: str) -> str:
    return str(api.get("lease", "sluice-operator", "-n", namespace)["spec"].get("holderIdentity", ""))


@pytest.mark.parametrize("how", ["cancelled", "finished"])
async def test_a_clean_stop_hands_leadership_on_at_once(replicas: Replicas, api: Api, namespace: str, how: str) -> None:
    first = await replicas.start("a")
    await first.leading.wait()
    assert first.lease.held
    second = await replicas.start("b")
    assert holder(api, namespace) == "a"
    assert not second.leading.is_set()
    if how == "cancelled":
        first.task.cancel()
    else:
        first.finish.set()
    await asyncio.wait({first.task})
    await second.leading.wait()
    # well before the lease would have run out
    assert 0 <= second.began - first.ended < TIMES.duration / 2
    assert holder(api, namespace) == "b"
    assert not first.lease.held


async def test_a_vanished_holder_is_followed_when_its_lease_has_run_out(replicas: Replicas) -> None:
    first = await replicas.start("a")
    await first.leading.wait()
    second = await replicas.start("b")
    await first.between.cut()
    with pytest.raises(LeaseError, match=r"a lost Lease .*/sluice-operator"):
        await first.task
    assert not second.leading.is_set()
    await second.leading.wait()
    assert second.began > first.ended > 0


async def test_a_leader_whose_server_refuses_it_stops_within_the_deadline(replicas: Replicas) -> None:
    only = await replicas.start("a")
    await only.leading.wait()
    cut = asyncio.get_running_loop().time()
    await only.between.cut()
    with pytest.raises(LeaseError, match="must end and start again"):
        await only.task
    assert only.ended - cut < TIMES.duration  # before anybody may take over
    assert not only.lease.held


async def test_a_short_outage_costs_no_leadership(replicas: Replicas) -> None:
    only = await replicas.start("a")
    await only.leading.wait()
    await only.between.cut()
    await asyncio.wait({only.task}, timeout=TIMES.deadline / 3)
    await only.between.mend()
    done, _ = await asyncio.wait({only.task}, timeout=TIMES.duration)
    assert not done
    assert only.leading.is_set()


async def test_of_many_that_race_one_leads_and_then_another(replicas: Replicas) -> None:
    left = {await replicas.start(identity) for identity in "abc"}
    while left:
        await asyncio.wait([asyncio.create_task(each.leading.wait()) for each in left], return_when="FIRST_COMPLETED")
        leading = {each for each in left if each.leading.is_set()}
        assert len(leading) == 1
        (leader,) = leading
        done, _ = await asyncio.wait({each.task for each in left}, timeout=TIMES.retry * 3)
        assert not done
        assert [each for each in left if each.leading.is_set()] == [leader]
        leader.finish.set()
        await leader.task
        left.discard(leader)


async def test_a_lease_that_somebody_else_took_is_lost_at_the_next_renewal(
    replicas: Replicas, api: Api, namespace: str
) -> None:
    only = await replicas.start("a")
    await only.leading.wait()
    api.kubectl(
        "patch",
        "lease",
        "sluice-operator",
        "-n",
        namespace,
        "--type=merge",
        "-p",
        '{"spec":{"holderIdentity":"thief"}}',
    )
    with pytest.raises(LeaseError):
        await only.task
    assert holder(api, namespace) == "thief"


async def test_a_crash_of_what_leads_surfaces_and_hands_leadership_on(api: Api, namespace: str) -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    async with KubeCluster.connect(str(api.kubeconfig)) as cluster:
        with pytest.raises(ZeroDivisionError):
            await Lease(cluster, namespace, "sluice-operator", "a", TIMES).lead(crash)
    assert holder(api, namespace) == ""
