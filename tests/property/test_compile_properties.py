"""compile: the same meaning gives the same Config in whatever order it is written, and no route moves another."""

import copy
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.objects import cascade, custom, managed, model, parsed, policy, provider, route
from sluice_operator.compile import Compiled, compile  # noqa: A004
from sluice_sidecar.config import Config

unhurried = settings(deadline=None)  # a busy machine is no failure

NAMES = ("a", "b", "c", "d")
PRICES = st.sampled_from(
    [{}, {"price": {"inputPerMillion": "2", "outputPerMillion": "8"}}, {"price": {"outputPerMillion": "0.5"}}]
)
Objects = list[dict[str, Any]]


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """A valid spec of a ModelRoute, without `models`."""
    small = draw(st.sampled_from([managed("small"), provider("small"), custom("small", logprobs=True)])) | draw(PRICES)
    large = draw(st.sampled_from([provider("large"), custom("large")])) | draw(PRICES)
    weights = [
        {"backend": "small", "weight": draw(st.integers(0, 9))},
        {"backend": "large", "weight": draw(st.integers(1, 9))},
    ]
    tasks = [{"task": "Extraction", "backend": "small"}, {"task": "own", "backend": "large", "examples": ["x", "y"]}]
    accept: dict[str, Any] = draw(
        st.sampled_from(
            [{"confidence": {"threshold": "0.8"}}, {"checks": [{"regex": "x"}, {"jsonSchema": {"type": "object"}}]}]
        )
    )
    strategy: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"single": {"backend": "small"}},
                {"weighted": {"weights": weights}},
                {"task": {"tasks": tasks, "default": "large"}},
                cascade("small", "large", **accept),
            ]
        )
    )
    return {
        "backends": [small, large],
        "strategy": strategy,
        "fallbacks": draw(st.sampled_from([[], ["large"], ["large", "small"]])),
        "resilience": {
            "timeout": draw(st.sampled_from(["60s", "2m"])),
            "retries": {"attempts": draw(st.integers(1, 5))},
        },
        **draw(st.sampled_from([{}, {"cachePolicy": {"name": "p"}}, {"mirror": {"backend": "large", "percent": 5}}])),
    }


@st.composite
def namespaces(draw: st.DrawFn) -> Objects:
    """Up to four valid routes with names of their own, a policy and a model."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    routes = [route(name, **(draw(specs()) | {"models": [f"{name}-2", f"{name}-1"]})) for name in names]
    ttl = draw(st.sampled_from(["1h", "2h"]))
    return [*routes, policy("p", ttl=ttl, reuse={"paraphrase": {"similarity": "0.9"}}), model()]


def compiled(objects: Objects, last: Config | None = None) -> Compiled:
    return compile(parsed(*objects), last)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same data with the fields of every object in another order."""
    if isinstance(value, dict):
        fields = list(value.items())
        chance.shuffle(fields)
        return {key: shuffled(inner, chance) for key, inner in fields}
    return [shuffled(inner, chance) for inner in value] if isinstance(value, list) else value


def broken(data: dict[str, Any], how: int) -> dict[str, Any]:
    """The route with a mistake in it."""
    data = copy.deepcopy(data)
    mistakes: tuple[dict[str, Any], ...] = (
        {"cachePolicy": {"name": "gone"}},
        {"fallbacks": ["gone"]},
        {"unknown": 1},
        {"limits": {"requestsPerMinute": 1}},
    )
    data["spec"] |= mistakes[how]
    return data


@unhurried
@given(namespaces(), st.randoms(use_true_random=False))
def test_the_order_of_objects_and_fields_means_nothing(objects: Objects, chance: random.Random) -> None:
    first = compile(parsed(*objects))
    assert first.errors == ()
    resources = parsed(*[shuffled(data, chance) for data in objects])
    chance.shuffle(resources)
    again = compile(resources)
    assert again.config.to_json() == first.config.to_json()
    assert again.problems == first.problems
    assert again.models == first.models


@unhurried
@given(namespaces())
def test_the_same_meaning_in_other_words_has_the_same_digest(objects: Objects) -> None:
    words = copy.deepcopy(objects)
    for data in words:
        if data["kind"] == "ModelRoute":
            data["spec"]["models"].reverse()
            data["spec"]["resilience"]["timeout"] = {"60s": "1m", "2m": "120s"}[data["spec"]["resilience"]["timeout"]]
            data["spec"]["resilience"]["hold"] = "60s"
            data["spec"]["affinity"] = "None"
            for backend in data["spec"]["backends"]:
                if "price" in backend:
                    longer = {field: text + ("0" if "." in text else ".0") for field, text in backend["price"].items()}
                    backend["price"] = longer | {"currency": "USD"}
        if data["kind"] == "CachePolicy":
            data["spec"]["ttl"] = {"1h": "60m", "2h": "120m"}[data["spec"]["ttl"]]
            data["spec"]["store"] = {"embedded": {}}
            data["spec"]["reuse"]["identical"] = True
    assert compiled(words).config.to_json() == compiled(objects).config.to_json()


@unhurried
@given(namespaces(), specs(), st.data())
def test_a_change_in_one_route_changes_no_others_digest(
    objects: Objects, spec: dict[str, Any], data: st.DataObject
) -> None:
    before = compiled(objects).config
    changed = data.draw(st.sampled_from([o for o in objects if o["kind"] == "ModelRoute"]))
    name, models = changed["metadata"]["name"], changed["spec"]["models"]
    after = compiled([route(name, **(spec | {"models": models})) if o is changed else o for o in objects]).config
    assert {n: r.digest for n, r in after.routes.items() if n != name} == {
        n: r.digest for n, r in before.routes.items() if n != name
    }
    assert (after.routes[name].digest == before.routes[name].digest) == (after.routes[name] == before.routes[name])


@unhurried
@given(namespaces(), st.integers(0, 3), st.data())
def test_a_broken_route_keeps_its_section_and_moves_no_other(objects: Objects, how: int, data: st.DataObject) -> None:
    last = compiled(objects).config
    victim = data.draw(st.sampled_from([o for o in objects if o["kind"] == "ModelRoute"]))
    result = compiled([broken(victim, how) if o is victim else o for o in objects], last)
    assert {problem.name for problem in result.errors} == {victim["metadata"]["name"]}
    assert result.config.to_json() == last.to_json()
    without = compiled([broken(victim, how) if o is victim else o for o in objects]).config
    assert without.routes == {n: r for n, r in last.routes.items() if n != victim["metadata"]["name"]}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return (
        [path, *(place for key, child in inner for place in places(child, (*path, key)))]
        if path
        else [place for key, child in inner for place in places(child, (key,))]
    )


@unhurried
@given(namespaces(), JSON, st.data())
def test_whatever_is_written_is_a_problem_or_is_served_and_never_an_exception(
    objects: Objects, value: Any, data: st.DataObject
) -> None:
    objects = copy.deepcopy(objects)
    target = data.draw(st.sampled_from(objects))
    *path, key = data.draw(st.sampled_from(places(target)))
    inner = target
    for step in path:
        inner = inner[step]
    inner[key] = value
    result = compiled(objects)
    assert all(str(problem) and problem.reason for problem in result.problems)
    assert Config.model_validate_json(result.config.to_json()) == result.config
