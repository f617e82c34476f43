"""A gateway's admin port, as the commands use it. Whatever fails is a ClickException that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import click
import httpx
import orjson

PATIENCE = 60.0
"""Seconds for an answer: a batch of an import is embedded and compared meanwhile."""


class AdminPort:
    """Use it by `with`. Raises click.BadParameter for an address that is none."""

    def __init__(self, url: str) -> None:
        self._url = (url if "://" in url else f"http://{url}").rstrip("/")
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise click.BadParameter(f"{url!r} is no address; write http://127.0.0.1:8081", param_hint="--admin")
        # Proxies of the environment are for the world outside; the admin port is on loopback or forwarded to it.
        self._client = httpx.Client(timeout=PATIENCE, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: str | int) -> Any:
        """What a path says. Raises ClickException."""
        with self._told():
            return self._read(self._client.get(self._url + path, params=parameters))

    def post(self, path: str, body: object, **parameters: str) -> Any:
        """What a path answers to a body: bytes as they are, anything else as JSON. Raises ClickException."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        with self._told():
            return self._read(
                self._client.post(self._url + path, params=parameters, content=content, headers={"x-sluice-admin": "1"})
            )

    def lines(self, path: str, **parameters: str) -> Iterator[bytes]:
        """The lines of a path, as they come. Raises ClickException, also midway."""
        with self._told(), self._client.stream("GET", self._url + path, params=parameters) as response:
            if response.status_code != 200:
                response.read()
                self._read(response)
            left = b""
            for part in response.iter_bytes():
                *whole, left = (left + part).split(b"\n")
                for line in whole:
                    if line.startswith(b'{"error"'):
                        raise click.ClickException(orjson.loads(line)["error"]["message"])
                    yield line + b"\n"
            if left:
                raise click.ClickException(f"{self._url} broke off in the middle of a line")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError:
            raise click.ClickException(
                f"nothing listens at {self._url}: start `sluice run FILE`, or name the admin address that it printed "
                "with --admin URL"
            ) from None
        except httpx.TimeoutException:
            raise click.ClickException(f"{self._url} did not answer within {PATIENCE:g} s") from None
        except httpx.HTTPError as error:
            raise click.ClickException(f"{self._url} broke off: {error}") from None

    def _read(self, response: httpx.Response) -> Any:
        bad = response.status_code >= 400
        try:
            said = orjson.loads(response.content)
            problem = said["error"] if bad else None
            if problem is not None and (response.status_code != 404 or problem["code"] == "policy_not_found"):
                raise click.ClickException(str(problem["message"]))
        except (ValueError, TypeError, KeyError):
            bad = True
        if bad:
            raise click.ClickException(
                f"{self._url} answers {response.status_code} to {response.url.path}: is it a gateway's admin port, and "
                "not its data port or an older gateway?"
            )
        return said
