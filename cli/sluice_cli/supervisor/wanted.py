"""What the files ask for: the Config, the models to run here, and everything that is wrong, each with its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice_cli.files import check
from sluice_cli.supervisor.banner import missing
from sluice_cli.supervisor.model import ModelSpec
from sluice_cli.supervisor.specs import Elsewhere, model_spec
from sluice_sidecar.batch.webhooks import parse_keys
from sluice_sidecar.callers import read_keys
from sluice_sidecar.config import Config
from sluice_sidecar.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Wanted:
    """With `errors` nothing of it may be served. `elsewhere` are models that cannot run here, and why."""

    config: Config
    models: Mapping[str, ModelSpec]
    elsewhere: Mapping[str, str]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    def same(self, other: "Wanted") -> bool:
        """Whether both would serve the same."""
        return (self.config.digest, self.models, self.elsewhere) == (other.config.digest, other.models, other.elsewhere)


def wanted(files: Sequence[Path], env_file: Path, *, models: bool = True) -> Wanted:
    """Reads and compiles the files, and looks whether every secret has a value. `models` False: none is run."""
    checked = check(files)
    config = checked.compiled.config
    specs: dict[str, ModelSpec] = {}
    elsewhere: dict[str, str] = {}
    for name, model in checked.compiled.models.items():
        try:
            if not models:
                raise Elsewhere("models are switched off by --no-models")
            specs[name] = model_spec(name, model.spec)
        except Elsewhere as why:
            elsewhere[name] = str(why)
    credentials = Credentials(env_file=env_file)
    errors = [str(finding) for finding in checked.errors]
    warnings = [str(finding) for finding in checked.warnings] + missing(config, credentials)
    if config.gateway.keys_secret is not None:
        try:
            read_keys(credentials.entries(config.gateway.keys_secret))
        except ValueError as problem:
            errors.append(f"{env_file}: secret {config.gateway.keys_secret}: {problem}")
    for window in config.windows.values():
        key = window.webhooks.signing_key if window.webhooks is not None else None
        value = credentials.get(key.secret, key.key) if key is not None else None
        if key is not None and value is not None:  # one without a value is told above
            try:
                parse_keys(value)
            except ValueError as problem:
                where = credentials.where(key.secret, key.key)
                errors.append(f"BatchWindow {window.name}, webhooks: {where}: {problem}")
    return Wanted(config, specs, elsewhere, tuple(errors), tuple(warnings))
