"""A plan holds only what differs: changed intents, drift, and what is owned and not wanted."""

import copy
from typing import Any

import pytest

from sluice_operator.plan.diff import diff, holds, stamped
from sluice_operator.plan.owned import metadata
from sluice_operator.plan.plan import Ref

Data = dict[str, Any]


def deployment(**spec: Any) -> Data:
    container = {
        "name": "gateway",
        "image": "i:1",
        "env": [{"name": "A", "value": "1"}],
        "resources": {"limits": {"memory": "1Gi", "cpu": "0.5"}},
        "volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}],
    }
    template = {"spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata("team", "d", "gateway"),
        "spec": {"replicas": 2, "template": template, **spec},
    }


def observed(manifest: Data) -> Data:
    """As the API server would give it, with defaults and with what others own."""
    found = copy.deepcopy(dict(stamped(manifest)))
    found["metadata"] |= {"uid": "1", "annotations": {**found["metadata"]["annotations"], "other": "x"}}
    found["spec"]["strategy"] = {"type": "RollingUpdate"}
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"limits": {"memory": "1024Mi", "cpu": "500m"}}
    container["terminationMessagePath"] = "/dev/x"
    found["spec"]["template"]["spec"]["containers"].insert(0, {"name": "injected", "image": "other"})
    found["status"] = {"replicas": 2}
    return found


def test_what_is_there_as_it_was_meant_is_not_written() -> None:
    there = observed(deployment())
    assert diff([deployment()], {Ref.of(there): there}) == ((), ())


def test_what_is_missing_is_applied_with_the_digest_of_its_intent() -> None:
    (applied,), deleted = diff([deployment()], {})
    assert applied["metadata"]["annotations"]["sluice.dev/intent"]
    assert deleted == ()


def drift(change: Any) -> Data:
    there = observed(deployment())
    change(there)
    return there


@pytest.mark.parametrize(
    "change",
    [
        lambda there: there["spec"].update(replicas=5),
        lambda there: there["spec"]["template"]["spec"]["containers"][1].update(image="evil"),
        lambda there: there["spec"]["template"]["spec"]["containers"][1]["env"].clear(),
        lambda there: there["spec"]["template"]["spec"]["containers"][1]["resources"]["limits"].update(memory="2Gi"),
        lambda there: there["spec"]["template"]["spec"]["containers"][1]["volumeMounts"].pop(),
        lambda there: there["spec"]["template"]["spec"]["containers"].pop(),
        lambda there: there["metadata"]["labels"].pop("sluice.dev/component"),
        lambda there: there["metadata"]["annotations"].pop("sluice.dev/intent"),
        lambda there: there.pop("spec"),
    ],
)
def test_drift_is_repaired(change: Any) -> None:
    there = drift(change)
    applied, _ = diff([deployment()], {Ref.of(there): there})
    assert [Ref.of(manifest) for manifest in applied] == [Ref.of(there)]


def test_a_field_that_is_not_wanted_any_more_is_noticed() -> None:
    there = observed(deployment(minReadySeconds=5))
    applied, _ = diff([deployment()], {Ref.of(there): there})
    assert len(applied) == 1


def test_what_is_owned_and_not_wanted_goes_and_nothing_else() -> None:
    mine, foreign, slice_, made, going = (copy.deepcopy(deployment()) for _ in range(5))
    for number, manifest in enumerate((mine, foreign, slice_, made, going)):
        manifest["metadata"]["name"] = f"d{number}"
    foreign["metadata"]["labels"] = {}
    slice_["kind"] = "EndpointSlice"
    made["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "controller": True, "uid": "1"}]
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    children = {Ref.of(m): m for m in (mine, foreign, slice_, made, going)}
    assert diff([], children) == ((), (Ref.of(mine),))


def test_what_is_kept_is_neither_written_nor_pruned() -> None:
    there = observed(deployment(replicas=9))
    assert diff([], {Ref.of(there): there}, kept=[Ref.of(there)]) == ((), ())


@pytest.mark.parametrize(
    ("intent", "there", "held"),
    [
        ({"a": {}}, {}, True),
        ({"a": []}, {}, True),
        ({"a": ""}, {}, True),
        ({"a": False}, {}, False),
        ({"a": 0}, {}, False),
        ({"args": ["a", "b"]}, {"args": ["b", "a"]}, False),
        ({"rules": [{"name": "x"}]}, {"rules": [{"name": "x"}, {"name": "y"}]}, False),
        ({"ports": [{"name": "http", "port": 80}]}, {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}, True),
        ({"requests": {"storage": "2Gi"}}, {"requests": {"storage": "2048Mi"}}, True),
        ({"requests": {"cpu": "nonsense"}}, {"requests": {"cpu": "1"}}, False),
        ({"value": "1000m"}, {"value": "1"}, False),
    ],
)
def test_an_intent_is_a_part_of_what_is_there(intent: Data, there: Data, held: bool) -> None:
    assert holds(intent, there) is held
