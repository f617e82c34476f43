"""The gateway process: arguments, sockets, the watched files, signals. Started by `sluice run` or a container.

It knows neither the kinds nor Kubernetes: a Config file and an Endpoints file come in, HTTP goes out. With --cluster
both come from the API server instead, by what cluster/ knows.
"""

import argparse
import asyncio
import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import uvloop

from sluice_sidecar.credentials import Credentials
from sluice_sidecar.parent import end_with_parent
from sluice_sidecar.process import Signals, bind

if TYPE_CHECKING:
    from sluice_sidecar.app import Gateway
    from sluice_sidecar.cluster.run import Cluster
    from sluice_sidecar.config import Config
    from sluice_sidecar.options import GatewayOptions
    from sluice_sidecar.server import Listener
    from sluice_sidecar.watch import Watcher


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line of `sluice-gateway`; exits with a message for a wrong one."""
    cli = argparse.ArgumentParser(prog="sluice-gateway", description="Serves one Config until SIGTERM.")
    source = cli.add_mutually_exclusive_group(required=True)
    source.add_argument("--config", type=Path, help="Config file (JSON); watched, waited for at the start")
    source.add_argument(
        "--cluster", choices=("shared", "sidecar", "batch"), help="Config by the API server, in this role"
    )
    cli.add_argument("--endpoints", type=Path, help="Endpoints file (JSON) of managed models; watched")
    cli.add_argument("--data", type=Path, help="folder for cache and ledger; without it nothing outlives the process")
    cli.add_argument("--worker", type=int, default=0, help="number of this process among --workers")
    cli.add_argument("--workers", type=int, default=1, help="processes that share --data; without --fd all start here")
    cli.add_argument("--host", default="127.0.0.1", help="address of both ports, where no --fd is given")
    cli.add_argument("--admin-host", help="address of the admin port, where it is another one")
    cli.add_argument("--port", type=int, default=8080)
    cli.add_argument("--admin-port", type=int, default=8081)
    cli.add_argument("--tls", type=Path, help="folder of tls.crt and tls.key: --tls-port is the data port in TLS")
    cli.add_argument("--tls-port", type=int, default=8443)
    cli.add_argument("--fd", type=int, help="inherited listening socket, instead of --host and --port")
    cli.add_argument("--tls-fd", type=int, help="the same for --tls-port")
    cli.add_argument("--admin-fd", type=int, help="the same for the admin port; workers above 0 have none")
    cli.add_argument("--allow-loopback", action="store_true", help="upstreams on this machine may be called")
    cli.add_argument("--no-access-log", action="store_true", help="no log line a request")
    secrets = cli.add_mutually_exclusive_group()
    secrets.add_argument("--env-file", type=Path, help="file of SLUICE_SECRET_NAME_KEY=value lines")
    secrets.add_argument("--secrets", type=Path, help="folder of SECRET/KEY files, instead of the environment")
    cli.add_argument("--namespace", default=os.environ.get("POD_NAMESPACE"), help="the pod's, with --cluster")
    cli.add_argument("--relay", help="URL of the shared gateway, with --cluster sidecar")
    cli.add_argument("--report-to", help='only URL that reports go to, with --cluster; "": none, else any')
    cli.add_argument("--run", type=Path, default=Path("/var/run/sluice"), help="mounted folders, with --cluster")
    cli.add_argument("--parent", type=int, help="process that this one must not outlive")
    cli.add_argument("--report", action="store_true", help="tell READY, SERVING and REFUSED on standard output")
    return cli.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs until SIGTERM or SIGINT; a second one cuts the open requests off. Exits 1 when it cannot start."""
    argv = sys.argv[1:] if argv is None else argv
    options = arguments(argv)
    if options.parent is not None:
        end_with_parent(options.parent)
    if options.workers > 1 and options.fd is None:
        from sluice_sidecar.fleet import serve_all

        life = serve_all(options, argv)
    else:
        life = serve(options)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(life))


def report(on: bool, word: str, detail: str) -> None:
    """One line for the supervisor, which may be gone."""
    if on:
        try:
            os.write(1, f"{word} {detail}".replace("\n", " ").encode() + b"\n")
        except OSError:
            return


async def serve(options: argparse.Namespace) -> int:
    """One gateway's life; returns the exit status."""
    from sluice_sidecar.app import Gateway
    from sluice_sidecar.log import setup
    from sluice_sidecar.server import Listener

    setup()
    signals = Signals()
    credentials = Credentials(env_file=options.env_file, folder=options.secrets)
    try:
        cluster = _cluster(options)
    except ValueError as problem:
        sys.stderr.write(f"sluice-gateway: {problem}\n")
        return 1
    gateway = Gateway(_gateway_options(options, credentials) if cluster is None else cluster.options)
    try:
        data_socket, admin_socket = _sockets(options)
        callers = [] if data_socket is None else [Listener(gateway.asgi, data_socket), *_secure(options, gateway)]
    except OSError as problem:
        sys.stderr.write(f"sluice-gateway: cannot listen on {options.host}: {problem.strerror}\n")
        return 1
    except ValueError as problem:
        sys.stderr.write(f"sluice-gateway: {problem}\n")
        return 1
    admin = Listener(gateway.admin, admin_socket) if admin_socket is not None else None

    async def open_port() -> None:
        for listener in callers:
            await listener.start()
        gateway.listening = True
        gc.collect()
        gc.set_threshold(50_000, 20, 20)  # a request leaves no cycles behind: look for some a hundred times less often
        gc.freeze()  # what the imports and the first Config made lives as long as the process: never walked again
        if callers:
            host, port = callers[0].address
            report(options.report, "READY", f"{host} {port}")

    await gateway.start()
    if admin is not None:
        await admin.start()
    if cluster is not None:
        life = asyncio.create_task(cluster.live(gateway, open_port))
    else:
        life = asyncio.create_task(_live(_watcher(options, gateway, credentials), open_port))
    stopped = asyncio.create_task(signals.stop.wait())
    await asyncio.wait({life, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if life.done():
        life.result()  # only an unforeseen error ends it: crash, and be started again
    life.cancel()
    gateway.leave()
    served = gateway.config()
    if cluster is not None and cluster.works:
        await _drain([gateway.deferring], cluster.finish, signals.force)
    cut = await _drain(callers, served.gateway.drain if served is not None else 0.0, signals.force)
    if cut:
        sys.stderr.write(f"sluice-gateway: cut {cut} open request(s) off\n")
    await gateway.drain()
    if admin is not None:
        admin.stop_accepting()
        await admin.drain(1.0)
    return 0


def _cluster(options: argparse.Namespace) -> "Cluster | None":
    if options.cluster is None:
        return None
    from sluice_sidecar.cluster.run import Cluster

    return Cluster(options)


def _gateway_options(options: argparse.Namespace, credentials: Credentials) -> "GatewayOptions":
    from sluice_sidecar.options import GatewayOptions

    return GatewayOptions(
        data=options.data,
        batches=options.data / "batch" if options.data is not None else None,
        credentials=credentials,
        allow_loopback=options.allow_loopback,
        worker=options.worker,
        workers=options.workers,
        access_log=not options.no_access_log,
    )


def _watcher(options: argparse.Namespace, gateway: "Gateway", credentials: Credentials) -> "Watcher":
    from sluice_sidecar.watch import Watcher

    async def adopt(config: "Config") -> None:
        refused = await gateway.swap(config)
        for part, why in refused.items():
            report(options.report, "REFUSED", f"{part}: {why}")
        report(options.report, "SERVING", config.digest)

    return Watcher(
        options.config,
        options.endpoints,
        credentials,
        adopt=adopt,
        on_endpoints=gateway.set_endpoints,
        on_refused=lambda why: report(options.report, "REFUSED", why),
    )


async def _live(watcher: "Watcher", open_port: Callable[[], Awaitable[None]]) -> None:
    await watcher.first()
    await open_port()
    await watcher.run()


class Draining(Protocol):
    """What takes no more, and then comes to an end."""

    def stop_accepting(self) -> None:
        """Takes no more from now on."""

    async def drain(self, seconds: float) -> int:
        """Waits at most so long for what is open; how many are cut off then."""

    async def cut(self) -> int:
        """Ends what is open; how many that were."""


async def _drain(listeners: Sequence[Draining], seconds: float, force: asyncio.Event) -> int:
    """Lets open requests end; returns how many were cut off."""
    for listener in listeners:
        listener.stop_accepting()
    draining = asyncio.create_task(_drained(listeners, seconds))
    forced = asyncio.create_task(force.wait())
    await asyncio.wait({draining, forced}, return_when=asyncio.FIRST_COMPLETED)
    forced.cancel()
    if draining.done():
        return draining.result()
    draining.cancel()
    return sum([await listener.cut() for listener in listeners])


async def _drained(listeners: Sequence[Draining], seconds: float) -> int:
    return sum(await asyncio.gather(*(listener.drain(seconds) for listener in listeners)))


def _secure(options: argparse.Namespace, gateway: "Gateway") -> list["Listener"]:
    """The listener in TLS, where one is wanted. Raises OSError, and ValueError without a certificate."""
    if options.tls is None:
        return []
    from sluice_sidecar.certificate import Certificate
    from sluice_sidecar.server import Listener

    certificate = Certificate(options.tls)
    inherited = options.tls_fd is not None
    sock = socket.socket(fileno=options.tls_fd) if inherited else bind(options.host, options.tls_port)
    return [Listener(gateway.asgi, sock, tls=certificate.context)]


def _sockets(options: argparse.Namespace) -> tuple[socket.socket | None, socket.socket | None]:
    """Of the data port, which a worker of deferred requests has not, and of the admin port. Raises OSError."""
    if options.cluster == "batch":
        return None, bind(options.admin_host or options.host, options.admin_port)
    data = socket.socket(fileno=options.fd) if options.fd is not None else bind(options.host, options.port)
    if options.admin_fd is not None:
        return data, socket.socket(fileno=options.admin_fd)
    return data, bind(
        options.admin_host or options.host, options.admin_port
    ) if options.worker == 0 and options.fd is None else None


if __name__ == "__main__":
    main()
