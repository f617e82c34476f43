"""Namespaces of random content, right and wrong, for properties of plans."""

from typing import Any

from hypothesis import strategies as st

from doubles.objects import cascade, custom, gateway, managed, model, policy, provider, route, written
from doubles.planning import Data
from sluice_operator.plan.seen import Secret

HTTP = {"url": "https://checks.example.com/ok", "apiKey": {"secret": "house", "key": "token"}}
MISTAKES: tuple[dict[str, Any], ...] = (
    {},
    {"cachePolicy": {"name": "gone"}},
    {"fallbacks": ["gone"]},
    {"unknown": 1},
    {"backends": [provider("o") | {"openAI": {"model": "m", "apiKey": {"secret": "gone", "key": "k"}}}]},
)
STORES: tuple[dict[str, Any], ...] = (
    {"embedded": {}},
    {"redis": {"managed": {}}},
    {"qdrant": {"managed": {"replicas": 2}}},
    {"redis": {"address": "redis.example.com:6379", "password": {"secret": "house", "key": "token"}}},
    {"faiss": {}},
)
GATEWAYS: tuple[list[Data], ...] = (
    [],
    [gateway(replicas=3, state={"redis": {"managed": {}}})],
    [gateway(auth={"keys": {"secret": "house"}}, expose={"tls": {"secret": "tls"}}, workers=2)],
    [gateway(auth={"keys": {"secret": "house"}, "oidc": {"issuer": "https://id.example.com", "audience": "x"}})],
    [gateway(unknown=1)],
)
UPSTREAMS: tuple[dict[str, Any], ...] = (
    {"backends": [custom("a")]},
    {"backends": [provider("a")]},
    {"backends": [managed("a")]},
    {"backends": [provider("a"), custom("b")], "strategy": cascade("a", "b", checks=[{"http": HTTP}])},
)
NIGHT: dict[str, Any] = {"windows": [{"start": "22:00", "end": "06:00"}], "routes": ["a"]}
WINDOWS: tuple[dict[str, Any], ...] = (
    NIGHT,
    NIGHT | {"always": True, "files": {"pvc": {"storage": "1.5Gi"}}},
    NIGHT | {"always": True, "capacity": {"quantisedModel": {"name": "smollm2"}, "replicas": 3}},
    NIGHT | {"webhooks": {"signingKey": {"secret": "house", "key": "token"}, "allow": ["https://hooks.example.com"]}},
    NIGHT | {"unknown": 1},
)
OTHERS = (
    *(written("BatchWindow", "w", spec) for spec in WINDOWS),
    written("PromptAudit", "x", {"route": "a", "ablation": {"against": "a", "judge": "b"}}),
)


@st.composite
def objects(draw: st.DrawFn) -> list[Data]:
    """Objects of a namespace, right and wrong ones."""
    found = [
        route(
            name,
            **(draw(st.sampled_from(UPSTREAMS)) | {"cachePolicy": {"name": "p"}} | draw(st.sampled_from(MISTAKES))),
        )
        for name in draw(st.lists(st.sampled_from("abcd"), max_size=3, unique=True))
    ]
    found += draw(st.sampled_from(GATEWAYS))
    found += [policy("p", store=draw(st.sampled_from(STORES)))] * draw(st.booleans())
    found += [draw(st.sampled_from([model(), model(engine="VLLM"), model(unknown=1)]))] * draw(st.booleans())
    return [*found, *draw(st.lists(st.sampled_from(OTHERS), unique_by=lambda data: data["kind"]))]


@st.composite
def sound_objects(draw: st.DrawFn) -> list[Data]:
    """Objects without a mistake of their own: routes of all kinds, their policy, a gateway."""
    used = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(UPSTREAMS)), min_size=1, max_size=3)
    found = [route(name, **spec | {"cachePolicy": {"name": "p"}}) for name, spec in dict(draw(used)).items()]
    found += [policy("p", store=draw(st.sampled_from(STORES[:-1]))), model()]
    return found + draw(st.sampled_from(GATEWAYS[:-1]))


OPENAI = Secret("openai", {"token": "sk-1"})
HOUSE = Secret("house", {"token": "h-1"}, ("checks.example.com", "redis.example.com"))
SECRETS = st.lists(st.sampled_from([OPENAI, HOUSE]), unique_by=lambda secret: secret.name)
LATER_SECRETS = st.lists(
    st.sampled_from(
        [OPENAI, HOUSE, Secret("openai", {"token": "sk-2"}), Secret("house", {"token": "h-2"}, HOUSE.hosts)]
    ),
    unique_by=lambda secret: secret.name,
)
"""The same ones, some with another value."""
