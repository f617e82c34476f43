"""A mounted bundle of certificates that breaks, is mended and is rotated, under a gateway that is never restarted."""

from pathlib import Path

import httpx

from doubles.certificates import Authority
from doubles.kube import Api
from doubles.pods import hears, mounts, pod, published, routed
from doubles.running import PATIENCE
from sluice_sidecar.config import Config, Egress, Gateway


def trusting(*, model: str = "auto") -> Config:
    served = routed("http://127.0.0.1:1/v1", model=model)
    return served.model_copy(update={"gateway": Gateway(egress=Egress(ca_bundle=True))}).sealed()


async def test_a_broken_bundle_is_told_of_until_it_is_mended(api: Api, namespace: str, tmp_path: Path) -> None:
    run = mounts(api, namespace, tmp_path)
    bundle = run / "ca" / "ca.crt"
    bundle.parent.mkdir()
    bundle.write_text("no certificate")
    plain = routed("http://127.0.0.1:1/v1")
    api.apply(published(namespace, plain))
    async with (
        pod(run, namespace, api.server) as gateway,
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client,
    ):
        await gateway.serves(plain)
        api.apply(published(namespace, trusting()))
        await hears(gateway, r"refused, what was served before stays: egress\.caBundle")
        assert (await gateway.answers(client, "/-/config"))["digest"] == plain.digest
        bundle.write_bytes(Authority().pem)
        await gateway.serves(trusting())
        bundle.write_text("rotated to nothing")
        await hears(gateway, r"(?s)(refused, what was served before stays: egress\.caBundle.*){2}")
        assert (await gateway.answers(client, "/-/config"))["digest"] == trusting().digest
