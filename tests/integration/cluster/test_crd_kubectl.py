"""How the kinds feel with kubectl: short names, the category, columns, scale, and a plain apply."""

from pathlib import Path

from doubles.kube import Api
from doubles.objects import model, policy, route
from sluice_operator.kinds import KINDS

CRDS = Path(__file__).resolve().parents[3] / "crds"


def test_short_names_category_and_columns(api: Api, namespace: str) -> None:
    api.apply(*({**data, "metadata": {"name": "a", "namespace": namespace}} for data in (route("a"), policy("a"))))
    assert "modelroute.sluice.dev/a" in api.kubectl("get", "sluice", "-n", namespace, "-o", "name")
    header = api.kubectl("get", "mr", "-n", namespace).splitlines()[0]
    assert header.split() == ["NAME", "MODELS", "READY", "SERVING", "HITS", "SAVED", "AGE"]
    assert "REASON" in api.kubectl("get", "cp", "-n", namespace, "-o", "wide").splitlines()[0]


def test_a_model_is_scaled(api: Api, namespace: str) -> None:
    data = model("small", scaling={"mode": "External", "max": 9}, replicas=1)
    api.apply({**data, "metadata": {"name": "small", "namespace": namespace}})
    api.kubectl("scale", "qm/small", "--replicas=3", "-n", namespace)
    assert api.get("qm", "small", "-n", namespace)["spec"]["replicas"] == 3


def test_status_is_apart_from_spec(api: Api, namespace: str) -> None:
    api.apply({**route("a"), "metadata": {"name": "a", "namespace": namespace}})
    status = '{"status":{"serving":"2/2","modelNames":"auto, gpt-4","savings":{"money":"1.00 USD","hitRatio":"0.42"}}}'
    api.kubectl("patch", "mr", "a", "-n", namespace, "--type=merge", "--subresource=status", "-p", status)
    found = api.get("mr", "a", "-n", namespace)
    assert found["status"]["savings"]["hitRatio"] == "0.42"
    assert found["metadata"]["generation"] == 1
    line = api.kubectl("get", "mr", "a", "-n", namespace).splitlines()[1]
    assert "auto, gpt-4" in line
    assert "2/2" in line


def test_a_plain_apply_takes_the_crds(api: Api) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "-f", str(CRDS))
    assert answer.count("sluice.dev") == len(KINDS)


def test_every_crd_is_established_and_structural(api: Api) -> None:
    for kind in KINDS.values():
        conditions = api.get("crd", f"{kind.plural}.sluice.dev")["status"]["conditions"]
        states = {condition["type"]: condition["status"] for condition in conditions}
        assert states["Established"] == states["NamesAccepted"] == "True"
        assert states.get("NonStructuralSchema", "False") == "False"
