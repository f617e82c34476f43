"""With injection, and with reports, the operator needs no right that the chart does not give; one less is missed."""

import json
import re
from pathlib import Path

import httpx

from doubles.chart import one
from doubles.kube import Api
from doubles.made import put
from doubles.operator_process import installed, rendered
from doubles.running import PATIENCE, until
from sluice_operator import names

WEBHOOK = ("MutatingWebhookConfiguration", names.WEBHOOK_CONFIGURATION)
REFUSED = r"cannot \w+ resource"


async def test_the_charts_rights_are_enough_for_injection_and_each_is_needed(
    api: Api, namespace: str, tmp_path: Path
) -> None:
    api.apply(one(rendered(api), *WEBHOOK))
    try:
        async with installed(api, tmp_path, "--injection", "true") as operator:
            await until(lambda: "caBundle" in json.dumps(api.get(*WEBHOOK)), "the webhook trusts the operator")
            put(api, namespace, "first")
            api.kubectl("wait", "--for=create", f"deployment/{names.GATEWAY_NAME}", "-n", namespace, "--timeout=120s")
            async with httpx.AsyncClient(base_url=await operator.url(), trust_env=False, timeout=PATIENCE) as client:
                assert (await client.get("/readyz")).text == "ok\n"
            await until(lambda: api.get("modelroute", "first", "-n", namespace).get("status"), "the route's status")
            assert await operator.figure("sluice_operator_write_failures_total") == 0
            assert not re.search(REFUSED, operator.log)
            # The rights are what lets it: with one verb less it says which.
            role = api.get("clusterrole", "sluice-operator")
            rules = [rule for rule in role["rules"] if "networkpolicies" not in rule["resources"]]
            assert rules != role["rules"]
            api.kubectl("patch", "clusterrole", "sluice-operator", "--type=merge", "-p", json.dumps({"rules": rules}))
            api.kubectl("delete", "networkpolicy", names.GATEWAY_NAME, "-n", namespace)
            await operator.logged(REFUSED)
    finally:
        api.kubectl("delete", *WEBHOOK)
