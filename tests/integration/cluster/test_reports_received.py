"""Who reports is what the API server says of the token: its namespace and pod, for our audience alone."""

from typing import Any

import httpx

from doubles.admission import Served, reviewing, serving
from doubles.bound_tokens import make_pod, token
from doubles.kube import Api
from sluice_operator.cluster_error import UNREACHABLE, ClusterError
from sluice_operator.plan.plan import Ref
from sluice_operator.reports import BODY_BYTES

BODY: dict[str, Any] = {"version": "0.1.0", "schemas": [1], "digest": "d", "routes": {"house": "r"}}


async def report(served: Served, bearer: str, **options: Any) -> httpx.Response:
    async with served.client() as client:
        return await client.post(
            "/v1/reports", headers={"authorization": f"Bearer {bearer}"}, **(options or {"json": BODY})
        )


async def test_a_gateways_report_is_kept_under_its_own_pod(api: Api, namespace: str) -> None:
    uid = make_pod(api, namespace, "gateway")
    async with reviewing(api) as review, serving(review=review) as served:
        answered = await report(served, token(api, namespace, to="gateway"), json={**BODY, "namespace": "other"})
        assert (answered.status_code, answered.json()) == (200, {"interval": 30})
        (kept,) = served.reports.of(namespace)
        assert (kept.namespace, kept.pod, kept.pod_uid, kept.routes) == (namespace, "gateway", uid, {"house": "r"})
        assert served.changed == [namespace]


async def test_tokens_that_are_not_a_pods_for_us_are_refused(api: Api, namespace: str) -> None:
    make_pod(api, namespace, "gateway")
    async with reviewing(api) as review, serving(review=review) as served:
        for_another = await report(served, token(api, namespace, to="gateway", audience="elsewhere"))
        assert for_another.status_code == 401
        assert "audience sluice" in for_another.json()["error"]
        unbound = await report(served, token(api, namespace))
        assert unbound.status_code == 403
        assert "bound to no pod" in unbound.json()["error"]
        forged = await report(served, token(api, namespace, to="gateway")[:-10] + "AAAAAAAAAA")
        assert forged.status_code == 401
        assert served.reports.of(namespace) == ()


async def test_a_deleted_pods_token_is_refused(api: Api, namespace: str) -> None:
    make_pod(api, namespace, "gateway")
    bearer = token(api, namespace, to="gateway")
    api.kubectl("delete", "pod", "gateway", "-n", namespace, "--grace-period=0", "--force")
    async with reviewing(api) as review, serving(review=review) as served:
        assert (await report(served, bearer)).status_code == 401


async def test_a_wrong_body_is_refused_with_its_field(api: Api, namespace: str) -> None:
    make_pod(api, namespace, "gateway")
    bearer = token(api, namespace, to="gateway")
    async with reviewing(api) as review, serving(review=review) as served:
        wrong = await report(served, bearer, json={**BODY, "routes": {"house": 1}})
        assert wrong.status_code == 400
        assert wrong.json()["error"].startswith("routes.house")
        large = await report(served, bearer, content=b" " * (BODY_BYTES + 1))
        assert large.status_code == 413
        assert served.reports.of(namespace) == ()
        assert (await report(served, bearer)).status_code == 200


async def test_while_the_api_server_is_away_gateways_are_asked_to_try_again() -> None:
    async def away(_token: str) -> None:
        raise ClusterError(Ref("v1", "TokenReview", None, "*"), UNREACHABLE, "refused")

    async with serving(review=away) as served:
        answered = await report(served, "any")
        assert answered.status_code == 503
        assert answered.headers["retry-after"] == "5"
