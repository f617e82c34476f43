"""Binding the ports, and what is said when that fails."""

import os
import socket

import pytest

from sluice_cli.supervisor.listen import ListenError, listen, url, who_listens


def test_port_0_takes_a_free_one_and_the_url_says_which() -> None:
    with listen("127.0.0.1", 0, "--port") as sock:
        assert url(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"
        socket.create_connection(sock.getsockname()).close()


def test_every_address_is_called_by_loopback() -> None:
    with listen("0.0.0.0", 0, "--port") as sock:
        assert url(sock).startswith("http://127.0.0.1:")


def test_a_port_in_use_names_the_process_and_the_option() -> None:
    with listen("127.0.0.1", 0, "--port") as sock:
        port = sock.getsockname()[1]
        assert who_listens(port) is not None
        with pytest.raises(ListenError, match=rf"port {port} .*pid {os.getpid()}.*--admin-port"):
            listen("127.0.0.1", port, "--admin-port")


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(ListenError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0, "--port")
    with pytest.raises(ListenError, match="no address"):
        listen("no such host", 0, "--port")
