"""Two operators at once: one alone writes, and when it is killed the other goes on from what it finds."""

from doubles.kube import Api
from doubles.made import MADE, listed, published, put, versions
from doubles.operating import operating
from doubles.running import until
from sluice_operator import names

WRITES = "sluice_operator_writes_total"
CONFIG = ("ConfigMap", names.CONFIG_MAP)
KINDS = "configmaps,secrets,serviceaccounts,services,roles,rolebindings,networkpolicies"
"""Of what is made, that to which no controller writes."""


async def test_one_of_two_writes_and_a_killed_one_is_followed(api: Api, namespace: str) -> None:
    put(api, namespace, "first")
    async with operating(api, namespace) as leader:
        await leader.leads()
        async with operating(api, namespace) as standby:
            await standby.logged("listed [0-9]+ objects")
            put(api, namespace, "second")
            await until(lambda: "second" in published(api, namespace), "what changed while both run")
            await until(lambda: listed(api, namespace).keys() >= MADE, f"all of {MADE}")
            assert await leader.figure(WRITES) >= len(MADE)
            assert await standby.figure("sluice_operator_leader") == 0
            assert await standby.figure("sluice_operator_objects") >= len(MADE)  # it knows all, and writes nothing
            assert await standby.figure(WRITES) == await standby.figure("sluice_operator_write_failures_total") == 0
            before = versions(listed(api, namespace, KINDS))
            await leader.crash()
            assert versions(listed(api, namespace, KINDS)) == before  # gateways have what they had
            put(api, namespace, "meanwhile")
            await standby.leads()
            await until(lambda: "meanwhile" in published(api, namespace), "what changed while none led")
            after = versions(listed(api, namespace, KINDS))
            assert after.pop(CONFIG) != before.pop(CONFIG)
            assert after == before  # it took over what the other one had made
            assert await standby.stop() == 0
            assert "Traceback" not in standby.log
