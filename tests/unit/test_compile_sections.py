"""What users write becomes a Config that says it in full: defaults, presets, seconds, bytes."""

from decimal import Decimal
from typing import Any

import pytest

from doubles.objects import PRICE, cascade, custom, gateway, managed, model, parsed, policy, provider, route
from sluice_operator.compile import Compiled, compile  # noqa: A004
from sluice_sidecar import config


def compiled(*objects: dict[str, Any]) -> Compiled:
    result = compile(parsed(*objects))
    assert result.errors == ()
    return result


def section(*objects: dict[str, Any], name: str = "r") -> config.Route:
    return compiled(*objects).config.routes[name]


def test_a_route_answers_its_own_name_by_its_one_backend() -> None:
    found = section(route("r"))
    assert found.models == ("r",)
    assert found.strategy == config.Single(backend="house")
    assert found.reference == "house"
    assert found.requires == ("single",)
    assert found.resilience == config.Resilience()


def test_a_managed_llama_cpp_model_speaks_both_dialects_and_is_always_streamed() -> None:
    backend = section(route("r", managed("b")), model()).backends["b"]
    assert (backend.managed, backend.url, backend.families) == ("smollm2", None, ("openai", "anthropic"))
    assert backend.always_stream
    assert backend.logprobs


def test_a_managed_vllm_model_speaks_openai() -> None:
    qwen = model(engine="VLLM", source={"huggingFace": {"repo": "Qwen/Qwen3-8B"}})
    backend = section(route("r", managed("b")), qwen).backends["b"]
    assert (backend.families, backend.always_stream, backend.logprobs) == (("openai",), False, True)


def test_providers_have_their_addresses_and_keys() -> None:
    claude = {"name": "c", "anthropic": {"model": "claude-sonnet-4-5", "apiKey": {"secret": "a", "key": "t"}}}
    found = section(route("r", provider("o"), claude, strategy={"single": {"backend": "o"}}, fallbacks=["c"]))
    openai, anthropic = found.backends["o"], found.backends["c"]
    assert (openai.url, openai.model, openai.logprobs) == ("https://api.openai.com/v1", "gpt-4.1", True)
    assert openai.credential == config.Credential(secret="openai", key="token")
    assert (anthropic.url, anthropic.families) == ("https://api.anthropic.com/v1", ("anthropic",))
    assert not anthropic.logprobs


def test_a_custom_backend_sends_no_key_and_the_callers_model_unless_told() -> None:
    backend = section(route("r", custom("b", "http://10.1.1.1/v1/"))).backends["b"]
    assert (backend.url, backend.model, backend.credential) == ("http://10.1.1.1/v1", None, None)
    assert not backend.logprobs


def test_what_a_backend_says_of_its_log_probs_wins() -> None:
    assert section(route("r", custom("b", logprobs=True))).backends["b"].logprobs
    assert not section(route("r", provider("b", logprobs=False))).backends["b"].logprobs


def test_a_cascade_carries_confidence_and_checks() -> None:
    checks = [
        {"regex": "a+"},
        {"jsonSchema": {"type": "object"}},
        {"http": {"url": "http://10.2.2.2/ok", "timeout": "1s"}},
    ]
    strategy = cascade("a", "b", confidence={"threshold": "0.8"}, checks=checks)
    found = section(route("r", provider("a"), custom("b"), strategy=strategy)).strategy
    assert found == config.Cascade(
        stages=("a", "b"),
        confidence=config.Confidence(threshold=0.8, quantile=0.1, prefix=16),
        checks=(
            config.RegexCheck(pattern="a+"),
            config.JsonSchemaCheck(json_schema={"type": "object"}),
            config.HttpCheck(url="http://10.2.2.2/ok", timeout=1.0),
        ),
    )


def test_task_routing_carries_classes_examples_and_margin() -> None:
    tasks = [{"task": "Extraction", "backend": "a"}, {"task": "customs", "backend": "b", "examples": ["what duty?"]}]
    found = section(route("r", custom("a"), custom("b"), strategy={"task": {"tasks": tasks, "default": "b"}})).strategy
    assert found == config.Task(
        backends={"Extraction": "a", "customs": "b"}, default="b", examples={"customs": ("what duty?",)}, margin=0.1
    )


def test_a_mirror_is_a_capability_that_the_gateway_must_have() -> None:
    found = section(
        route(
            "r", custom("a"), custom("b"), strategy={"single": {"backend": "a"}}, mirror={"backend": "b", "percent": 5}
        )
    )
    assert found.mirror == config.Mirror(backend="b", percent=5)
    assert found.requires == ("mirror", "single")


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ({"a": PRICE, "b": {"inputPerMillion": "0.1"}}, "a"),
        ({"a": {"inputPerMillion": "0.1"}, "b": {"outputPerMillion": "9"}}, "b"),
        ({}, "b"),
        ({"a": PRICE, "b": PRICE}, "b"),
    ],
)
def test_savings_are_counted_against_the_dearest_else_the_last(
    prices: dict[str, dict[str, str]], expected: str
) -> None:
    backends = [custom(name) | ({"price": prices[name]} if name in prices else {}) for name in ("a", "b")]
    weights = [{"backend": "a", "weight": 1}, {"backend": "b", "weight": 1}]
    assert section(route("r", *backends, strategy={"weighted": {"weights": weights}})).reference == expected


def test_the_reference_is_what_the_user_names() -> None:
    weights = [{"backend": "a", "weight": 1}, {"backend": "b", "weight": 1}]
    found = section(route("r", custom("a"), custom("b"), strategy={"weighted": {"weights": weights}}, reference="a"))
    assert found.reference == "a"


def test_a_price_is_exact() -> None:
    price = section(route("r", custom("b", price={"inputPerMillion": "0.020", "currency": "EUR"}))).backends["b"].price
    assert price is not None
    assert (price.input, price.output, price.cached_input, price.currency) == (Decimal("0.02"), Decimal(0), None, "EUR")


@pytest.mark.parametrize(
    ("workload", "hours"),
    [
        ("FreightDocument", 168),
        ("Invoice", 72),
        ("Conversational", 1),
        ("CodeGeneration", 24),
        ("Classification", 720),
        ("Auto", 1),
    ],
)
def test_a_workload_sets_the_ttl(workload: str, hours: int) -> None:
    assert compiled(route("r"), policy("p", workload=workload)).config.policies["p"].ttl == hours * 3600


def test_a_ttl_of_ones_own_wins() -> None:
    assert compiled(route("r"), policy("p", workload="Invoice", ttl="90m")).config.policies["p"].ttl == 5400


def test_a_policy_that_says_nothing_holds_every_strategy_to_one_percent() -> None:
    found = compiled(route("r"), policy("p")).config.policies["p"]
    assert found.identical
    assert (found.paraphrase, found.label, found.template) == (config.Paraphrase(), True, True)
    assert (found.bound, found.shadow) == (0.01, 0.015)
    assert (found.jitter, found.partition) == (0.1, "Tenant")
    assert found.requires == ("bound", "identical", "label", "paraphrase", "template")


@pytest.mark.parametrize(
    ("workload", "strategies"),
    [
        ("FreightDocument", {"template"}),
        ("Invoice", {"template"}),
        ("Conversational", {"paraphrase"}),
        ("CodeGeneration", {"paraphrase"}),
        ("Classification", {"label"}),
        ("Auto", {"paraphrase", "label", "template"}),
    ],
)
def test_a_workload_turns_its_strategies_on(workload: str, strategies: set[str]) -> None:
    found = compiled(route("r"), policy("p", workload=workload)).config.policies["p"]
    assert set(found.requires) == strategies | {"identical", "bound"}


def test_a_strategy_is_turned_off_by_name() -> None:
    reuse = {"label": {"enabled": False}, "template": {"enabled": False}, "paraphrase": {"enabled": False}}
    found = compiled(route("r"), policy("p", reuse=reuse)).config.policies["p"]
    assert found.requires == ("identical",)
    assert (found.paraphrase, found.label, found.template) == (None, False, False)


def test_without_a_bound_paraphrases_go_by_similarity_alone() -> None:
    reuse = {"paraphrase": {"similarity": "0.94"}, "bounded": False}
    found = compiled(route("r"), policy("p", reuse=reuse)).config.policies["p"]
    assert found.paraphrase == config.Paraphrase(similarity=0.94)
    assert (found.bound, found.requires) == (None, ("identical", "paraphrase"))


def test_without_a_bound_and_a_similarity_nothing_decides() -> None:
    data = parsed(route("r"), policy("p", reuse={"paraphrase": {}, "bounded": False}))
    (problem,) = [found for found in compile(data).errors if found.kind == "CachePolicy"]
    assert problem.field == "spec.reuse.bounded"
    assert "needs paraphrase.similarity" in problem.message


def test_the_gateway_carries_keys_egress_and_bounds() -> None:
    spec: dict[str, Any] = {
        "auth": {"keys": {"secret": "sluice-keys"}},
        "egress": {"allow": ["10.0.0.0/8"]},
        "telemetry": {"logPrompts": True},
        "maxBody": "1Mi",
        "drain": "5s",
    }
    assert compiled(route("r"), gateway(**spec)).config.gateway == config.Gateway(
        keys_secret="sluice-keys",
        log_prompts=True,
        egress=config.Egress(allow=("10.0.0.0/8",)),
        body_bytes=2**20,
        drain=5,
    )


def test_models_that_a_served_route_uses_must_run() -> None:
    result = compiled(route("r", managed("b")), model(), model("idle"))
    assert list(result.models) == ["smollm2"]
    assert [problem.name for problem in result.warnings] == ["idle"]


def test_another_namespaces_model_is_used_where_it_is_open() -> None:
    shared = model("big", allowedNamespaces=["team"])
    shared["metadata"]["namespace"] = "models"
    mine = route("r", managed("b", "big", namespace="models"))
    mine["metadata"]["namespace"] = "team"
    result = compiled(mine, shared)
    assert result.config.namespace == "team"
    assert result.config.routes["r"].backends["b"].managed == "models/big"
    assert list(result.models) == ["models/big"]


def test_a_config_survives_its_json() -> None:
    result = compiled(route("r", managed("b"), cachePolicy={"name": "p"}), model(), policy("p"), gateway())
    again = config.Config.model_validate_json(result.config.to_json())
    assert again == result.config
    assert again.sealed() == result.config
