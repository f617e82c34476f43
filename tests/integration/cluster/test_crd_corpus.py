"""A real API server accepts every valid object of the corpus, and refuses the rest naming the field and the cure."""

import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles.corpus import Case, invalid, valid
from doubles.kube import Api
from doubles.running import PATIENCE
from sluice_operator.kinds import KINDS


@pytest.fixture(scope="module")
def http(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client that is the cluster's administrator, as its kubeconfig says."""
    config = json.loads(api.kubectl("config", "view", "--raw", "-o", "json"))
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
    folder = tmp_path_factory.mktemp("administrator")

    def file(data: dict[str, Any], key: str) -> Path:
        path = folder / key
        path.write_bytes(base64.b64decode(data[f"{key}-data"]))
        return path

    context = ssl.create_default_context(cafile=str(file(cluster, "certificate-authority")))
    context.load_cert_chain(file(user, "client-certificate"), file(user, "client-key"))
    with httpx.Client(base_url=cluster["server"], verify=context, trust_env=False, timeout=PATIENCE) as client:
        yield client


def created(http: httpx.Client, case: Case) -> httpx.Response:
    """What the API server answers to its creation, as kubectl asks for it; nothing is kept."""
    path = f"/apis/sluice.dev/v1alpha1/namespaces/default/{KINDS[case.data['kind']].plural}"
    return http.post(path, params={"dryRun": "All", "fieldValidation": "Strict"}, json=case.data)


@pytest.mark.parametrize("case", valid(), ids=lambda case: case.title)
def test_a_valid_object_is_accepted(http: httpx.Client, case: Case) -> None:
    answer = created(http, case)
    assert answer.status_code == 201, answer.json()["message"]


@pytest.mark.parametrize("case", invalid(), ids=lambda case: case.title)
def test_an_invalid_object_is_refused_with_field_and_cure(http: httpx.Client, case: Case) -> None:
    answer = created(http, case)
    assert answer.status_code in {400, 422}, "accepted"
    message = answer.json()["message"]
    assert case.field in message
    assert case.says in message


def test_the_corpus_is_large_enough_to_speak_of() -> None:
    assert len(valid()) >= 40
    assert len(invalid()) >= 150
    assert {case.data["kind"] for case in valid()} == {case.data["kind"] for case in invalid()} == set(KINDS)
