"""A kind's spec as a section of Config: what is meant, with every default filled in. Checks stand elsewhere. Pure."""

from collections.abc import Iterator, Mapping
from typing import Literal

from sluice_operator import names
from sluice_operator.kinds import CachePolicy, ModelRoute, SluiceGateway
from sluice_operator.kinds import strategies as wanted
from sluice_operator.kinds.cache_policy import Verifier
from sluice_operator.kinds.model_route import ModelRouteSpec
from sluice_operator.kinds.quantity import size_bytes
from sluice_operator.kinds.references import SecretKey
from sluice_operator.kinds.stores import Embedding, Pinecone, Redis, Store
from sluice_operator.kinds.upstreams import Backend
from sluice_operator.prompt_section import prompt_section, requires
from sluice_sidecar import config

_STRATEGIES: tuple[Literal["paraphrase", "label", "template"], ...] = ("paraphrase", "label", "template")
_OPENAI: tuple[config.Family, ...] = ("openai",)
_ANTHROPIC: tuple[config.Family, ...] = ("anthropic",)


def strategy_of(spec: ModelRouteSpec) -> wanted.Strategy:
    """The route's strategy; `single` where none is written."""
    return spec.strategy or wanted.Strategy(single=wanted.Single(backend=spec.backends[0].name))


def named_backends(spec: ModelRouteSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every place of the route that names a backend: its path within the object, and the name."""
    strategy = strategy_of(spec)
    at: tuple[str | int, ...] = ("spec", "strategy")
    if strategy.single:
        yield (*at, "single", "backend"), strategy.single.backend
    elif strategy.weighted:
        for index, weight in enumerate(strategy.weighted.weights):
            yield (*at, "weighted", "weights", index, "backend"), weight.backend
    elif strategy.task:
        for index, task in enumerate(strategy.task.tasks):
            yield (*at, "task", "tasks", index, "backend"), task.backend
        yield (*at, "task", "default"), strategy.task.default
    elif strategy.cascade:
        for index, stage in enumerate(strategy.cascade.stages):
            yield (*at, "cascade", "stages", index), stage
    for index, fallback in enumerate(spec.fallbacks):
        yield ("spec", "fallbacks", index), fallback
    if spec.mirror:
        yield ("spec", "mirror", "backend"), spec.mirror.backend
    if spec.reference:
        yield ("spec", "reference"), spec.reference


def has_logprobs(backend: Backend) -> bool:
    """Whether the backend returns token log-probabilities, as written or by its kind."""
    if backend.logprobs is None:
        return backend.quantised_model is not None or backend.open_ai is not None
    return backend.logprobs


def managed_name(backend: Backend, namespace: str) -> str | None:
    """How Config and Endpoints call the backend's model: its name, or namespace/name when it is another namespace's."""
    reference = backend.quantised_model
    if reference is None:
        return None
    foreign = reference.namespace is not None and reference.namespace != namespace
    return f"{reference.namespace}/{reference.name}" if foreign else reference.name


def reference_backend(spec: ModelRouteSpec) -> str:
    """Whose cost and time savings are counted against: as written, else the dearest used, else the last used."""
    if spec.reference:
        return spec.reference
    strategy = {name for path, name in named_backends(spec) if path[1] in {"strategy", "fallbacks"}}
    used = [backend for backend in spec.backends if backend.name in strategy]
    priced = [(b.price.input_per_million or 0) + (b.price.output_per_million or 0) if b.price else 0 for b in used]
    # The last of equally dear ones: without any price that is the last one used.
    return max(enumerate(used), key=lambda entry: (priced[entry[0]], entry[0]))[1].name


def route_section(route: ModelRoute, namespace: str, engines: Mapping[str, str]) -> config.Route:
    """The route's section; `engines` tells which engine runs each managed model. The route has passed its checks."""
    spec = route.spec
    used = {name for _, name in named_backends(spec)}
    strategy = _strategy(strategy_of(spec))
    resilience, prompt = spec.resilience, prompt_section(spec.prompt)
    return config.Route(
        name=route.metadata.name,
        requires=tuple(sorted({strategy.type} | ({"mirror"} if spec.mirror else set()) | requires(prompt))),
        models=tuple(sorted(spec.models or (route.metadata.name,))),
        backends={b.name: _backend(b, namespace, engines) for b in spec.backends if b.name in used},
        strategy=strategy,
        fallbacks=spec.fallbacks,
        reference=reference_backend(spec),
        resilience=config.Resilience(
            connect=resilience.connect_timeout,
            first_token=resilience.first_token_timeout,
            total=resilience.timeout,
            hold=resilience.hold,
            retries=config.Retries(attempts=resilience.retries.attempts, budget=float(resilience.retries.budget)),
            breaker=config.Breaker(failures=resilience.breaker.failures, open_for=resilience.breaker.open_for),
        ),
        mirror=config.Mirror(backend=spec.mirror.backend, percent=float(spec.mirror.percent)) if spec.mirror else None,
        policy=spec.cache_policy.name if spec.cache_policy else None,
        prompt=prompt,
    )


def policy_section(policy: CachePolicy, namespace: str, *, cluster: bool) -> config.Policy:
    """The policy's section. In a `cluster` credentials of stores come from the stores' Secret."""
    spec = policy.spec
    similarity = spec.reuse.paraphrase.similarity if spec.reuse.paraphrase else None
    bound = spec.bound
    uses = {name for name in _STRATEGIES if spec.uses(name)}
    by_meaning = spec.uses("paraphrase") or spec.uses("label")
    embedding = _embedding(spec.embedding, cluster) if by_meaning else config.BuiltinEmbedding()
    store = _store(spec.store, namespace, cluster, max(config.WIDTH, embedding.dimensions))
    requires = uses | ({"identical"} if spec.reuse.identical else set()) | ({store.type} if store else set())
    requires |= ({embedding.type} - {"builtin"}) | ({"verifier"} if spec.verifier else set())
    return config.Policy(
        name=policy.metadata.name,
        requires=tuple(sorted(requires | ({"bound"} if uses and bound is not None else set()))),
        ttl=spec.ttl_seconds,
        jitter=float(spec.jitter),
        identical=spec.reuse.identical,
        paraphrase=config.Paraphrase(similarity=float(similarity or 0), verifier=_verifier(spec.verifier, cluster))
        if "paraphrase" in uses
        else None,
        label="label" in uses,
        template="template" in uses,
        bound=None if bound is None else float(bound),
        shadow=float(spec.shadow.max_percent_of_requests) / 100,
        timely=spec.timely_seconds,
        ignore=tuple(ignored.regex for ignored in spec.fingerprint.ignore),
        stale_while_revalidate=spec.stale_while_revalidate,
        partition=spec.partition.by,
        partition_headers=tuple(sorted(spec.partition.headers)),
        tool_calls=spec.tool_calls,
        store=store,
        embedding=embedding,
        limits=config.PolicyLimits(entries=spec.limits.entries, answer_bytes=spec.limits.answer_bytes),
    )


def gateway_section(
    gateway: SluiceGateway, namespace: str, *, cluster: bool, keys_version: str | None = None
) -> config.Gateway:
    """What holds for all routes. On one machine there is no shared state: it stays in the gateway's data folder."""
    spec = gateway.spec
    state = spec.state.redis if spec.state and cluster else None
    return config.Gateway(
        keys_secret=spec.auth.keys.secret if spec.auth.keys else None,
        keys_version=keys_version,
        log_prompts=spec.telemetry.log_prompts,
        egress=config.Egress(
            allow=tuple(sorted(set(spec.egress.allow))),
            proxy=spec.egress.proxy,
            ca_bundle=spec.egress.ca_bundle is not None,
        ),
        state=_redis(state, namespace, cluster) if state else None,
        body_bytes=size_bytes(spec.max_body),
        drain=spec.drain,
    )


def _store(store: Store, namespace: str, cluster: bool, dimensions: int) -> config.SharedStore | None:
    if store.redis:
        return _redis(store.redis, namespace, cluster).model_copy(update={"dimensions": dimensions})
    if store.faiss:
        return config.FaissStore(dimensions=dimensions)
    if store.pinecone:
        return _pinecone(store.pinecone, namespace, cluster, dimensions)
    if store.qdrant is None:
        return config.EmbeddedStore(dimensions=dimensions) if dimensions > config.WIDTH else None
    managed = store.qdrant.managed is not None
    return config.QdrantStore(
        url=store.qdrant.url or f"http://{names.QDRANT_NAME}.{namespace}.svc:6333",
        collection=collection_name(namespace, dimensions),
        dimensions=dimensions,
        api_key=_own("qdrant-api-key") if managed else _store_credential(store.qdrant.api_key, cluster),
        managed=managed,
    )


def _embedding(embedding: Embedding, cluster: bool) -> config.Embedding:
    if embedding.onnx:
        return config.OnnxEmbedding(path=embedding.onnx.path, dimensions=embedding.onnx.dimensions)
    endpoint = embedding.open_ai
    if endpoint is None:
        return config.BuiltinEmbedding()
    return config.EmbeddingEndpoint(
        url=endpoint.url,
        model=endpoint.model,
        dimensions=endpoint.dimensions,
        credential=_store_credential(endpoint.api_key, cluster),
    )


def _verifier(verifier: Verifier | None, cluster: bool) -> config.Verifier | None:
    if verifier is None:
        return None
    endpoint = verifier.endpoint
    model: config.VerifierModel
    if endpoint is not None:
        model = config.VerifierEndpoint(
            url=endpoint.url,
            api=endpoint.api,
            model=endpoint.model,
            credential=_store_credential(endpoint.api_key, cluster),
        )
    else:
        assert verifier.onnx is not None  # exactly one is given
        model = config.OnnxVerifier(path=verifier.onnx.path)
    return config.Verifier(model=model, threshold=float(verifier.threshold), timeout=verifier.timeout_seconds)


def collection_name(namespace: str, dimensions: int = config.WIDTH) -> str:
    """The Qdrant collection or Pinecone namespace of a namespace: one for each length of vectors."""
    return collection_prefix(namespace) + ("minilm-384" if dimensions == config.WIDTH else f"own-{dimensions}")


def collection_prefix(namespace: str) -> str:
    """What the names of all collections of a namespace start with."""
    return f"sluice-{namespace}-"


def redis_prefix(namespace: str) -> str:
    """What every key of a namespace starts with."""
    return f"sluice:{namespace}:"


def _redis(redis: Redis, namespace: str, cluster: bool) -> config.RedisServer:
    managed = redis.managed is not None
    return config.RedisServer(
        address=redis.address or f"{names.REDIS_NAME}.{namespace}.svc:6379",
        prefix=redis_prefix(namespace),
        username=_own("redis-username") if managed else None,
        password=_own("redis-password") if managed else _store_credential(redis.password, cluster),
        managed=managed,
    )


def _pinecone(pinecone: Pinecone, namespace: str, cluster: bool, dimensions: int) -> config.PineconeStore:
    api_key = pinecone.api_key
    return config.PineconeStore(
        url=pinecone.url,
        namespace=collection_name(pinecone.index_namespace or namespace, dimensions),
        dimensions=dimensions,
        api_key=_own(f"external-{api_key.secret}_{api_key.key}")
        if cluster
        else config.Credential(secret=api_key.secret, key=api_key.key),
    )


def _own(key: str) -> config.Credential:
    return config.Credential(secret=names.STORE_SECRET, key=key)


def _store_credential(key: SecretKey | None, cluster: bool) -> config.Credential | None:
    """Gateways mount the stores' Secret alone, so that is where it is found in a cluster."""
    return _own(f"external-{key.secret}_{key.key}") if key and cluster else _credential(key)


def _credential(key: SecretKey | None) -> config.Credential | None:
    return config.Credential(secret=key.secret, key=key.key) if key else None


def _backend(backend: Backend, namespace: str, engines: Mapping[str, str]) -> config.Backend:
    price = backend.price
    section = config.Backend(
        name=backend.name,
        price=config.Price(
            input=price.input_per_million or 0,
            cached_input=price.cached_input_per_million,
            output=price.output_per_million or 0,
            currency=price.currency,
        )
        if price
        else None,
        context_window=backend.context_window,
        logprobs=has_logprobs(backend),
    )
    return section.model_copy(update=_upstream(backend, namespace, engines))


def _upstream(backend: Backend, namespace: str, engines: Mapping[str, str]) -> dict[str, object]:
    managed = managed_name(backend, namespace)
    if managed is not None:
        llama = engines[managed] == "LlamaCpp"
        # llama.cpp frees a left call's slot at once only when it streams.
        return {"managed": managed, "families": _OPENAI + _ANTHROPIC if llama else _OPENAI, "always_stream": llama}
    provider = backend.open_ai or backend.anthropic or backend.custom
    assert provider is not None  # exactly one is given
    anthropic = backend.anthropic is not None or (backend.custom is not None and backend.custom.dialect == "Anthropic")
    return {
        "url": provider.url,
        "families": _ANTHROPIC if anthropic else _OPENAI,
        "model": provider.model,
        "credential": _credential(provider.api_key),
    }


def _strategy(strategy: wanted.Strategy) -> config.Single | config.Weighted | config.Task | config.Cascade:
    if strategy.weighted:
        return config.Weighted(weights={weight.backend: weight.weight for weight in strategy.weighted.weights})
    if strategy.task:
        task = strategy.task
        return config.Task(
            backends={rule.task: rule.backend for rule in task.tasks},
            default=task.default,
            examples={rule.task: tuple(sorted(set(rule.examples))) for rule in task.tasks if rule.examples},
            margin=float(task.margin),
        )
    if strategy.cascade:
        cascade = strategy.cascade
        confidence = cascade.accept.confidence
        return config.Cascade(
            stages=cascade.stages,
            confidence=config.Confidence(
                method=confidence.method,
                threshold=float(confidence.threshold),
                quantile=float(confidence.quantile),
                prefix=confidence.prefix,
            )
            if confidence
            else None,
            checks=tuple(_check(check) for check in cascade.accept.checks or ()),
        )
    assert strategy.single is not None  # exactly one is given
    return config.Single(backend=strategy.single.backend)


def _check(check: wanted.Check) -> config.JsonSchemaCheck | config.RegexCheck | config.HttpCheck:
    if check.json_schema is not None:
        return config.JsonSchemaCheck(json_schema=check.json_schema)
    if check.regex is not None:
        return config.RegexCheck(pattern=check.regex)
    assert check.http is not None  # exactly one is given
    return config.HttpCheck(url=check.http.url, timeout=check.http.timeout, credential=_credential(check.http.api_key))
