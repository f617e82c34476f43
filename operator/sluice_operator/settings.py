"""What one process of the operator is told: environment SLUICE_*, or flags, which win. `--help` documents each."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sluice_operator import names
from sluice_operator.installation import Images, Installation
from sluice_operator.store_places import Places

_INSTALLED, _IMAGES = Installation(), Images()


class SettingsError(ValueError):
    """A setting is wrong: which one, by its variable and its flag, and what it takes."""


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Comma separated."""
Connections = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[^=\s]+:[0-9]{1,5}=[^=\s]+:[0-9]{1,5}$")], ...], BeforeValidator(_listed)
]
"""Comma separated HOST:PORT=HOST:PORT."""
Resources = Annotated[dict[str, Any], BeforeValidator(_json)]
"""JSON: {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}."""


class Settings(BaseModel):
    """Every setting with its default. A field `watch_namespaces` is SLUICE_WATCH_NAMESPACES or --watch-namespaces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: str = Field(_INSTALLED.namespace, min_length=1, description="Namespace of the operator itself.")
    pod_name: str = Field("", description="Name of its pod; without one no pod is labelled as the leader.")
    kubeconfig: str = Field("", description="Path of a kubeconfig; without one KUBECONFIG, else the pod's account.")
    watch_namespaces: Names = Field((), description="Namespaces to work in, comma separated. Empty: all.")
    leader_election: bool = Field(True, description="Whether replicas choose one that works. False for one at a desk.")
    workers: int = Field(4, ge=1, le=64, description="Namespaces that are worked on at a time.")
    relist_seconds: float = Field(300.0, ge=1, description="Seconds between two lists of everything that is watched.")
    store_seconds: float = Field(300.0, ge=1, description="Seconds between two looks into a managed store.")
    connect_to: Connections = Field(
        (), description="HOST:PORT=HOST:PORT, comma separated: where managed stores are reached from elsewhere."
    )
    health_host: str = Field("0.0.0.0", description="Address of the health and metrics port.")  # noqa: S104
    health_port: int = Field(8081, ge=0, le=65535, description="Port of /healthz, /readyz, /metrics. 0: a free one.")
    webhook: bool = Field(True, description="Whether injection and reports are served. False where nobody reaches it.")
    webhook_host: str = Field("0.0.0.0", description="Address of the webhook and report port.")  # noqa: S104
    webhook_port: int = Field(9443, ge=0, le=65535, description="Port of the webhook and of reports. 0: a free one.")
    injection: bool = Field(True, description="Whether the webhook's configuration is installed and kept right.")
    report_url: str = Field("", description="Where gateways report to. Default: the Service of the leader's port.")
    gateway_api: bool = Field(False, description="Whether the cluster has HTTPRoute and SluiceGateways may use it.")
    cluster_domain: str = Field(_INSTALLED.cluster_domain, description="DNS domain of the cluster.")
    image_gateway: str = Field(_IMAGES.gateway, description="Image of gateways.")
    image_llama_cpp: str = Field(_IMAGES.llama_cpp, description="Image of llama.cpp.")
    image_redis: str = Field(_IMAGES.redis, description="Image of managed Redis.")
    image_qdrant: str = Field(_IMAGES.qdrant, description="Image of managed Qdrant.")
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        "IfNotPresent", description="Pull policy of all of them."
    )
    image_pull_secrets: Names = Field((), description="Names of pull Secrets in the routes' namespaces.")
    gateway_resources: Resources = Field(
        default_factory=lambda: dict(_INSTALLED.gateway_resources), description="Resources of shared gateways, as JSON."
    )
    sidecar_resources: Resources = Field(
        default_factory=lambda: dict(_INSTALLED.sidecar_resources), description="Resources of sidecars, as JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")

    @property
    def identity(self) -> str:
        """Who this replica is among all."""
        return self.pod_name or f"{os.uname().nodename}-{os.getpid()}"

    @property
    def places(self) -> Places:
        """Where managed stores are reached."""
        return Places(dict(entry.split("=", 1) for entry in self.connect_to))

    def installation(self, report_ca: str = "") -> Installation:
        """What workloads are rendered with; `report_ca` is the PEM of the report server's authority."""
        default = f"https://{names.REPORTS_NAME}.{self.namespace}.svc"
        return Installation(
            namespace=self.namespace,
            images=Images(
                gateway=self.image_gateway,
                llama_cpp=self.image_llama_cpp,
                redis=self.image_redis,
                qdrant=self.image_qdrant,
                pull_policy=self.image_pull_policy,
                pull_secrets=self.image_pull_secrets,
            ),
            cluster_domain=self.cluster_domain,
            report_url=(self.report_url or default) if self.webhook else "",
            report_ca=report_ca,
            gateway_resources=self.gateway_resources,
            sidecar_resources=self.sidecar_resources,
            gateway_api=self.gateway_api,
            injection=self.injection,
        )


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """The settings of a process. Raises SettingsError; SystemExit for --help and for unknown flags."""
    given = {name: value for name in Settings.model_fields if (value := environment.get(_variable(name), ""))}
    flags = {name: value for name, value in vars(_parser().parse_args(arguments)).items() if value is not None}
    try:
        return Settings.model_validate({**given, **flags})
    except ValidationError as invalid:
        said = [
            f"{_variable(name)} or {_flag(name)}: {error['msg']}; given: {given.get(name, flags.get(name))!r}; "
            f"it is: {Settings.model_fields[name].description}"
            for error in invalid.errors()
            for name in [str(error["loc"][0])]
        ]
        raise SettingsError("\n".join(said)) from None


def _variable(name: str) -> str:
    return "POD_NAME" if name == "pod_name" else f"SLUICE_{name.upper()}"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sluice-operator", description="Runs Sluice's kinds in a Kubernetes cluster.")
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = f"{default}".lower() if isinstance(default, bool) else default if default not in ("", ()) else "none"
        help_text = f"{field.description} [{_variable(name)}; default: {shown}]".replace("%", "%%")
        parser.add_argument(_flag(name), dest=name, default=None, metavar="VALUE", help=help_text)
    return parser
