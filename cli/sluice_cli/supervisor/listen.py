"""The two listening sockets, bound by the supervisor so that they outlive every worker."""

import errno
import socket
from pathlib import Path

BACKLOG = 2048


class ListenError(Exception):
    """A port that cannot be listened on, why, and what to do."""


def listen(host: str, port: int, option: str) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one. `option` is what the user would change, such as --port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as problem:
        raise ListenError(f"{host} is no address of this machine: {problem.strerror}") from None
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as problem:
        sock.close()
        raise ListenError(_why(problem, host, port, option)) from None
    return sock


def url(sock: socket.socket) -> str:
    """The base URL of a listening socket, as a program on this machine would call it."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _why(problem: OSError, host: str, port: int, option: str) -> str:
    if problem.errno == errno.EADDRINUSE:
        holder = who_listens(port)
        by = f" by {holder}" if holder else ""
        return f"port {port} on {host} is in use{by}: stop that, or choose another with {option} (0 takes a free one)"
    if problem.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has: choose one above 1023 with {option}"
    return f"cannot listen on {host} port {port}: {problem.strerror}"


def who_listens(port: int) -> str | None:
    """The process that listens on a TCP port, as /proc tells: "python (pid 4711)"; None where it does not."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue  # another user's, or gone
    return None


def _listening(port: int) -> list[str]:
    """Inodes of the sockets that listen on a port, from /proc/net/tcp (state 0A)."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                found.append(columns[9])
    return found
