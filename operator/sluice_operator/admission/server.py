"""The operator's TLS server: `/inject` for the API server, `/v1/reports` for gateways, on one port."""

import asyncio
import json
import logging
import ssl
import tempfile
import time
import zlib
from asyncio.trsock import TransportSocket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sluice_operator.admission.known_tokens import KnownTokens, Review
from sluice_operator.admission.review import Inject, InvalidReview, answer
from sluice_operator.admission.tls import Pair
from sluice_operator.cluster_error import ClusterError
from sluice_operator.reports import BODY_BYTES, INTERVAL, InvalidReport, Reports, parse

REVIEW_BYTES = 8 * 1_048_576
"""Most bytes of a review: twice an object of the largest size that the API server takes."""
BODY_SECONDS = 10.0
"""Seconds in which a body has to be there."""
IDLE_SECONDS = 120.0
"""How long a connection may idle: longer than the API server keeps one, so that it is never cut under a request."""
STOP_SECONDS = 5.0
FAREWELLS = 50
"""Hundredths of a second for which a peer may take leave."""

_log = logging.getLogger("sluice.admission")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AdmissionServer:
    """Serves from `start` to `stop`. Every replica injects; reports are taken while `reports` is open, on the leader.

    No request needs a client certificate: the injection depends on nothing but the request, and reports bring a token.
    """

    def __init__(
        self,
        inject: Inject,
        reports: Reports,
        review: Review,
        *,
        clock: Callable[[], float] = time.time,
        patience: float = BODY_SECONDS,
    ) -> None:
        """`review` asks the API server whose token it is, for the gateways' audience.

        `clock` gives unix seconds; `patience` is how many seconds a body may take.
        """
        self._inject = inject
        self._reports = reports
        self._tokens = KnownTokens(review)
        self._clock = clock
        self._patience = patience
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_alpn_protocols(["http/1.1"])
        self._leaf: Pair | None = None
        self._runner: web.AppRunner | None = None

    def use(self, leaf: Pair) -> None:
        """Serves this certificate to all connections that begin from now on. Raises ValueError where it is not usable.

        The one before stays in use then.
        """
        if leaf == self._leaf:
            return
        # A folder that nobody else may read: the TLS library takes keys from files alone.
        with tempfile.TemporaryDirectory(prefix="sluice-tls-") as folder:
            path = Path(folder, "leaf.pem")
            path.write_text(leaf.key + leaf.cert)
            try:
                # On trial first: what fails here would leave the live context half changed.
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
                self._context.load_cert_chain(path)
            except ssl.SSLError as error:
                raise ValueError(
                    f"the certificate cannot be served: {error.reason or 'it does not fit its key'}"
                ) from None
        self._leaf = leaf

    async def start(self, host: str, port: int) -> int:
        """Listens on `host`:`port` (0: a free one); returns the port. Raises RuntimeError before `use`, and OSError."""
        if self._leaf is None:
            raise RuntimeError("there is no certificate to serve: call use() before start()")
        app = web.Application(middlewares=[_plain_errors])
        app.router.add_post("/inject", self._review)
        app.router.add_post("/v1/reports", self._report)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=IDLE_SECONDS,
            # For how long what is left of a refused body is read, so that its sender gets to see the answer.
            lingering_time=1.0,
            shutdown_timeout=STOP_SECONDS,
            handle_signals=False,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, ssl_context=self._context, backlog=1024).start()
        except OSError:
            await self.stop()
            raise
        listening: int = self._runner.addresses[0][1]
        return listening

    async def stop(self) -> None:
        """Takes no more connections, and gives requests under way a few seconds to end."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        server = runner.server
        connected = [one.transport for one in server.connections if one.transport] if server else []
        # One that is gone already has none.
        sockets = {one: socket for one in connected if (socket := one.get_extra_info("socket"))}
        await runner.cleanup()
        await _closed(sockets)

    async def _review(self, request: web.Request) -> web.Response:
        body = await _body(request, REVIEW_BYTES, self._patience)
        try:
            return web.json_response(answer(body, self._inject))
        except InvalidReview as wrong:
            return _error(400, str(wrong))

    async def _report(self, request: web.Request) -> web.Response:
        if not self._reports.open:
            return _not_leading()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _unauthorized("no token: send Authorization: Bearer TOKEN")
        try:
            identity = await self._tokens.identity(token.strip())
        except ClusterError as error:
            _log.warning("cannot verify who reports: %s", error)
            return _error(503, "the API server cannot be asked whose token it is; try again", **{"Retry-After": "5"})
        if identity is None:
            return _unauthorized("the token is not valid here: take a projected one with the audience sluice")
        if not identity.pod or not identity.pod_uid:
            return _error(403, "the token is bound to no pod: take the one that is projected into the gateway's pod")
        body = await _body(request, BODY_BYTES, self._patience)
        try:
            report = parse(body, identity, self._clock())
        except InvalidReport as wrong:
            return _error(400, str(wrong))
        self._reports.accept(report)
        return web.json_response({"interval": INTERVAL})


async def _body(request: web.Request, most: int, patience: float) -> bytes:
    """The whole body; raises the HTTP error where it is too large, too slow or damaged."""
    parts = bytearray()
    try:
        async with asyncio.timeout(patience):
            async for part in request.content.iter_any():
                parts += part
                if len(parts) > most:
                    raise web.HTTPRequestEntityTooLarge(most, len(parts), text=f"a body has at most {most} bytes here")
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {patience:g} seconds") from None
    except (HttpProcessingError, web.RequestPayloadError, zlib.error):
        raise web.HTTPBadRequest(text="the body is damaged") from None
    return bytes(parts)


async def _closed(sockets: Mapping[asyncio.Transport, TransportSocket]) -> None:
    """Waits a moment for peers to agree that it is over, as TLS asks, and goes without those that do not."""
    for _ in range(FAREWELLS):
        if all(socket.fileno() < 0 for socket in sockets.values()):
            return
        await asyncio.sleep(0.01)
    for transport, socket in sockets.items():
        if socket.fileno() >= 0:
            transport.abort()
    await asyncio.sleep(0)  # the loop closes them in its next turn


@web.middleware
async def _plain_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Errors as JSON; what nobody foresaw is told in the log, not to the caller."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        response = _error(error.status, error.text or error.reason, **headers)
        # What is left of the body is not worth reading.
        response.force_close()
        return response
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        return _error(500, "the operator failed; its log says why")


def _error(status: int, message: str, **headers: str) -> web.Response:
    return web.Response(
        status=status, text=json.dumps({"error": message}), content_type="application/json", headers=headers
    )


def _unauthorized(message: str) -> web.Response:
    return _error(401, message, **{"WWW-Authenticate": "Bearer"})


def _not_leading() -> web.Response:
    response = _error(503, "another replica leads and takes reports; connect again", **{"Retry-After": "1"})
    # The next connection goes to whoever the Service selects by then.
    response.force_close()
    return response
