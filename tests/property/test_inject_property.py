"""Whatever a pod looks like: its patch applies, a second one is empty, and nothing that was there changes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.patching import patched
from sluice_operator import names
from sluice_operator.admission.inject import Refused, inject
from sluice_operator.installation import Images, Installation

Strategy = st.SearchStrategy[list[dict[str, Any]]]


def _named(names: st.SearchStrategy[str], least: int, most: int, **more: st.SearchStrategy[Any]) -> Strategy:
    entry: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({"name": names}, optional=more)
    return st.lists(entry, min_size=least, max_size=most, unique_by=lambda found: str(found["name"]))


WORDS = st.sampled_from(["OPENAI_BASE_URL", "OPENAI_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "A", "B"])
PORTS = st.lists(st.fixed_dictionaries({"containerPort": st.sampled_from([80, 8080, 15480, 15481, 20000])}), max_size=2)
CONTAINERS = _named(
    st.sampled_from(["app", "web", "worker", "sluice-gateway"]),
    1,
    3,
    env=st.none() | _named(WORDS, 0, 4, value=st.just("own")),
    envFrom=st.just([{"configMapRef": {"name": "more"}}]),
    ports=PORTS,
)
VOLUMES = _named(st.sampled_from(["data", "tmp", "sluice-store"]), 0, 2)
PODS = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"labels": st.just({names.INJECT: "true"})},
            optional={
                "annotations": st.none()
                | st.dictionaries(st.just(names.PORT_ANNOTATION), st.sampled_from(["15480", "20000", "x"])),
            },
        ),
        "spec": st.fixed_dictionaries(
            {"containers": CONTAINERS},
            optional={
                "initContainers": st.none() | st.just([]) | CONTAINERS,
                "volumes": st.none() | VOLUMES,
                "imagePullSecrets": st.just([{"name": "mine"}]),
                "hostNetwork": st.booleans(),
            },
        ),
    }
)
INSTALLATION = Installation(images=Images(pull_secrets=("mine", "ours")))


@settings(max_examples=200, deadline=None)
@given(PODS)
def test_a_patch_applies_once_and_leaves_what_was_there(pod: dict[str, Any]) -> None:
    try:
        operations = inject(pod, "shop", INSTALLATION, "1")
    except Refused:
        return
    found = patched(pod, operations)
    assert inject(found, "shop", INSTALLATION, "2") == []
    assert found["spec"]["initContainers"][0]["name"] == "sluice-gateway" or not operations
    own = [entry for entry in found["spec"]["initContainers"] if entry["name"] != "sluice-gateway"]
    before = [entry for entry in pod["spec"].get("initContainers") or () if entry["name"] != "sluice-gateway"]
    for was, now in zip([*before, *pod["spec"]["containers"]], [*own, *found["spec"]["containers"]], strict=True):
        variables = [entry["name"] for entry in now.get("env") or ()]
        assert len(variables) == len(set(variables))
        assert (now.get("env") or [])[: len(was.get("env") or [])] == (was.get("env") or [])
        assert {k: v for k, v in now.items() if k != "env"} == {k: v for k, v in was.items() if k != "env"}
    mounted = [volume["name"] for volume in found["spec"].get("volumes") or ()]
    assert len(mounted) == len(set(mounted))
