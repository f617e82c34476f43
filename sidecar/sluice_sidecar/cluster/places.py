"""Names and paths that a gateway in a cluster finds its things by; the operator's names.py says the same."""

from dataclasses import dataclass
from pathlib import Path

CONFIG_MAP = "sluice-config"
CONFIG_KEY = "config.json"
SHARDS_KEY = "shards.json"
SIGNATURE_KEY = "signature"
SHARD_KEY = "part"
ENDPOINTS_MAP = "sluice-endpoints"
ENDPOINTS_KEY = "endpoints.json"
CREDENTIALS_SECRET = "sluice-credentials"  # noqa: S105  (a name)
CREDENTIALS_INDEX = "index.json"
CREDENTIALS_SALT = "salt"
STORE_SECRET = "sluice-store"  # noqa: S105  (a name)
GATEWAY_NAME = "sluice-gateway"
TOKEN_AUDIENCE = "sluice"  # noqa: S105  (an audience)
RUN = Path("/var/run/sluice")


@dataclass(frozen=True, slots=True)
class Places:
    """Mounted folders under `run`; a test has its own."""

    run: Path = RUN

    @property
    def config(self) -> Path:
        """Folder of CONFIG_KEY, or of SHARDS_KEY and one file a shard, by its ConfigMap's name."""
        return self.run / "config"

    @property
    def endpoints(self) -> Path:
        """Folder of ENDPOINTS_KEY."""
        return self.run / "endpoints"

    @property
    def api_token(self) -> Path:
        """Token for the API server."""
        return self.run / "api" / "token"

    @property
    def api_ca(self) -> Path:
        """PEM of the authority that signed the API server's certificate."""
        return self.run / "api" / "ca.crt"

    @property
    def ca_bundle(self) -> Path:
        """PEM of further authorities that upstreams are trusted by."""
        return self.run / "ca" / "ca.crt"

    @property
    def token(self) -> Path:
        """Token with the audience TOKEN_AUDIENCE, for reports and relayed calls."""
        return self.run / "operator" / "token"

    @property
    def files(self) -> Path:
        """Folder of batch files, which the shared gateways and their worker mount."""
        return self.run / "files"

    @property
    def store(self) -> Path:
        """Folder of the entries of STORE_SECRET."""
        return self.run / "store"
