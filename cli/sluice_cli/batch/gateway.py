"""A gateway's batch endpoints, as the commands use them. Whatever fails is a ClickException that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import click
import httpx
import orjson

PATIENCE = 120.0
"""Seconds for which an answer, or the next piece of one, may take."""


class Gateway:
    """Use it by `with`. Raises click.BadParameter for an address that is none."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = (url if "://" in url else f"http://{url}").rstrip("/").removesuffix("/v1")
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise click.BadParameter(f"{url!r} is no address; write http://127.0.0.1:8080", param_hint="--base-url")
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._client = httpx.Client(timeout=PATIENCE, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def submit(self, file: Path, endpoint: str | None, urgency: int | None, webhook: str | None) -> dict[str, Any]:
        """Uploads and queues a file. Raises ClickException."""
        endpoint = endpoint or _endpoint(file)
        with file.open("rb") as opened:
            form = {"files": {"file": (file.name, opened)}, "data": {"purpose": "batch"}}
            input_ = self._asked("POST", "/v1/files", **form)["id"]
        wanted = {"input_file_id": input_, "endpoint": endpoint, "completion_window": "24h"}
        headers = {} if urgency is None else {"priority": f"u={urgency}"}
        if webhook is not None:
            if not (webhook.isascii() and webhook.isprintable()):
                raise click.BadParameter("an address is of visible ASCII characters", param_hint="--webhook")
            headers["x-sluice-webhook"] = webhook
        return self._asked("POST", "/v1/batches", json=wanted, headers=headers)

    def batch(self, id_: str) -> dict[str, Any]:
        """How far a batch is. Raises ClickException."""
        return self._asked("GET", f"/v1/batches/{id_}")

    def progress(self, id_: str) -> Iterator[dict[str, Any]]:
        """How far a batch is, at each change until it has ended or the gateway breaks off. Raises ClickException."""
        with self._told(), self._client.stream("GET", f"{self._url}/v1/batches/{id_}/events") as response:
            if response.status_code != 200:
                response.read()
                self._read(response)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield orjson.loads(line.removeprefix("data: "))

    def replay(self, wanted: dict[str, Any]) -> int:
        """Has webhooks sent again; how many. Raises ClickException."""
        return int(self._asked("POST", "/v1/webhooks/replay", json=wanted)["replayed"])

    def newest(self) -> list[dict[str, Any]]:
        """The newest batches. Raises ClickException."""
        found: list[dict[str, Any]] = self._asked("GET", "/v1/batches")["data"]
        return found

    def cancel(self, id_: str) -> dict[str, Any]:
        """Takes back what waits. Raises ClickException."""
        return self._asked("POST", f"/v1/batches/{id_}/cancel")

    def results(self, id_: str, *, errors: bool) -> Iterator[bytes]:
        """The lines of a batch's answers or errors, in pieces. Raises ClickException, also midway."""
        found = self.batch(id_)
        file = found["error_file_id" if errors else "output_file_id"]
        if file is None:
            what = "errors" if errors else "answers"
            raise click.ClickException(f"batch {id_} is {found['status']} and has no {what}")
        with self._told(), self._client.stream("GET", f"{self._url}/v1/files/{file}/content") as response:
            if response.status_code != 200:
                response.read()
                self._read(response)
            yield from response.iter_bytes()

    def _asked(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        with self._told():
            return self._read(self._client.request(method, self._url + path, **more))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError:
            raise click.ClickException(
                f"nothing listens at {self._url}: start `sluice run FILE`, or name the address that it printed with "
                "--base-url URL"
            ) from None
        except httpx.TimeoutException:
            raise click.ClickException(f"{self._url} did not answer within {PATIENCE:g} s") from None
        except httpx.HTTPError as error:
            raise click.ClickException(f"{self._url} broke off: {error}") from None

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        try:
            said = orjson.loads(response.content)
            if response.status_code < 400 and isinstance(said, dict):
                return said
            message = str(said["error"]["message"])
        except (ValueError, TypeError, KeyError):
            message = f"{self._url} answers {response.status_code} to {response.url.path}: is it a Sluice gateway?"
        raise click.ClickException(message)


def _endpoint(file: Path) -> str:
    """What the first request of a file asks."""
    with file.open("rb") as opened:
        first = opened.readline(1 << 24)
    try:
        url = orjson.loads(first)["url"]
    except (ValueError, TypeError, KeyError):
        url = None
    if not isinstance(url, str):
        raise click.ClickException(
            f"{file}: the first line names no url; write "
            '{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {...}}, one a line'
        )
    return url
