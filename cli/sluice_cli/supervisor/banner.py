"""What `sluice run` says once it serves."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sluice_sidecar.config import Config, Credential
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.version import __version__


def banner(
    config: Config, url: str, admin: str, data: Path, waiting: Iterable[str], unavailable: Mapping[str, str]
) -> str:
    """Some lines: where it answers, which models, what to export, what is still starting."""
    names = ", ".join(sorted(config.model_names())) or "none"
    lines = [
        f"Sluice {__version__} serves {url}",
        f"  models   {names}",
        f"  admin    {admin}   savings {admin}/console",
        f"  data     {data}",
    ]
    if starting := ", ".join(waiting):
        lines.append(f"  starting {starting}; requests wait for it")
    lines += [f"  not here {name}: {why}" for name, why in sorted(unavailable.items())]
    lines += ["", f"  export OPENAI_BASE_URL={url}/v1", f"  export ANTHROPIC_BASE_URL={url}"]
    if config.gateway.keys_secret is None:
        lines.append("  export OPENAI_API_KEY=sluice ANTHROPIC_API_KEY=sluice   # no keys are asked for; SDKs want one")
    return "\n".join(lines)


def missing(config: Config, credentials: Credentials) -> list[str]:
    """A line for each secret reference without a value: who wants it and where to put it."""
    found = []
    for who, credential in references(config):
        if credentials.get(credential.secret, credential.key) is None:
            where = credentials.where(credential.secret, credential.key)
            found.append(f"{who}: {credential.secret}/{credential.key} has no value: set {where}")
    secret = config.gateway.keys_secret
    if secret is not None and not credentials.entries(secret):
        where = credentials.where(secret, "TENANT")
        found.append(f"the gateway's API keys: secret {secret} has no entry, so nobody may call: set {where}")
    return found


def references(config: Config) -> list[tuple[str, Credential]]:
    """Every secret reference of a Config, and what it is for."""
    found = []
    for route in config.routes.values():
        of = f"route {route.name}"
        users = [(f"{of}, backend {backend.name}", backend.credential) for backend in route.backends.values()]
        if route.strategy.type == "cascade":
            checks = [check for check in route.strategy.checks if check.type == "http"]
            users += [(f"{of}, check {check.url}", check.credential) for check in checks]
        found += [(who, credential) for who, credential in users if credential is not None]
    hooks = [(window.name, window.webhooks) for window in config.windows.values() if window.webhooks is not None]
    return found + [(f"BatchWindow {name}, webhooks", one.signing_key) for name, one in hooks]
