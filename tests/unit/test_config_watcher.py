"""What a gateway does when its files change."""

from pathlib import Path

import pytest

from sluice_sidecar.config import Config, Endpoints
from sluice_sidecar.credentials import Credentials
from sluice_sidecar.watch import RefusedError, Watcher, read_config, read_endpoints


class Gateway:
    """Notes what it is given; refuses a Config of the namespace "bad"."""

    def __init__(self, folder: Path) -> None:
        self.config, self.endpoints, self.env = folder / "config.json", folder / "endpoints.json", folder / ".env"
        self.adopted: list[str] = []
        self.addresses: list[Endpoints] = []
        self.refused: list[str] = []
        self.watcher = Watcher(
            self.config,
            self.endpoints,
            Credentials({}, env_file=self.env),
            adopt=self.adopt,
            on_endpoints=self.addresses.append,
            on_refused=self.refused.append,
        )

    async def adopt(self, config: Config) -> None:
        if config.namespace == "bad":
            raise ValueError("not this one")
        self.adopted.append(config.namespace)

    def write(self, namespace: str) -> None:
        self.config.write_bytes(Config(namespace=namespace).sealed().to_json())


async def test_a_changed_file_is_adopted_once(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.write("one")
    await gateway.watcher.look()
    await gateway.watcher.look()
    gateway.write("second")
    await gateway.watcher.look()
    assert gateway.adopted == ["one", "second"]


async def test_what_cannot_be_read_is_refused_once_and_the_old_one_stays(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.write("one")
    await gateway.watcher.look()
    gateway.config.write_bytes(b'{"routes": {"a"')
    await gateway.watcher.look()
    await gateway.watcher.look()
    assert len(gateway.refused) == 1
    assert gateway.watcher.serving is not None
    assert gateway.watcher.serving.namespace == "one"
    gateway.write("mended")
    await gateway.watcher.look()
    assert gateway.adopted == ["one", "mended"]


async def test_what_the_gateway_refuses_as_a_whole_is_reported(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.write("bad")
    await gateway.watcher.look()
    assert gateway.refused == ["not this one"]
    assert gateway.watcher.serving is None


async def test_a_new_secret_builds_the_latest_configuration_anew(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.write("one")
    await gateway.watcher.look()
    gateway.env.write_text("SLUICE_SECRET_A_B=c\n")
    await gateway.watcher.look()
    assert gateway.adopted == ["one", "one"]


async def test_endpoints_are_handed_on_and_a_damaged_file_is_not(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.endpoints.write_bytes(b'{"models": {"m": ["http://127.0.0.1:1/v1"]}}')
    await gateway.watcher.look()
    gateway.endpoints.write_bytes(b"{")
    await gateway.watcher.look()
    assert gateway.addresses == [Endpoints(models={"m": ("http://127.0.0.1:1/v1",)})]
    assert len(gateway.refused) == 1


def test_a_refusal_names_the_field_and_never_the_value(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(b'{"gateway": {"drain": "hunter2"}}')
    with pytest.raises(RefusedError, match=r"gateway\.drain") as refusal:
        read_config(file)
    assert "hunter2" not in str(refusal.value)


def test_no_endpoints_file_means_no_endpoints(tmp_path: Path) -> None:
    assert read_endpoints(tmp_path / "absent.json") == Endpoints()
    with pytest.raises(RefusedError):
        read_config(tmp_path / "absent.json")
