"""The certificate that the gateway shows its callers, read again when it changes."""

import logging
import ssl
from pathlib import Path

from sluice_sidecar.credentials import stamp

CERTIFICATE, KEY = "tls.crt", "tls.key"
"""Files of the folder, named as in a Secret of type kubernetes.io/tls."""

_log = logging.getLogger("sluice.gateway")


class Certificate:
    """The pair in a folder. `context` is for a listener; a handshake that begins after the files changed shows the new
    pair, and the old one stays where the new one is broken. Raises ValueError when there is no pair at the start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = self._seen()
        try:
            self.context = self._load()
        except (OSError, ssl.SSLError) as error:
            raise ValueError(
                f"cannot speak TLS: {folder} needs {CERTIFICATE} and {KEY}, a certificate chain and its key in PEM: "
                f"{_why(error)}"
            ) from None
        self._latest = self.context
        # In the first listener's context alone: it is what each handshake begins with.
        self.context.sni_callback = self._begins

    def _begins(self, handshake: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        found = self._seen()
        if found != self._stamp:
            self._stamp = found
            try:
                self._latest = self._load()
                _log.info("%s: new certificate", self._folder)
            except (OSError, ssl.SSLError) as error:
                _log.error("%s: the new certificate is broken, the old one stays: %s", self._folder, _why(error))
        if self._latest is not self.context:
            handshake.context = self._latest

    def _seen(self) -> object:
        return stamp(self._folder / CERTIFICATE), stamp(self._folder / KEY)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._folder / CERTIFICATE, self._folder / KEY, password=_no_password)
        return context


def _no_password() -> str:
    return ""  # an encrypted key is an error, not a question at the terminal


def _why(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else None) or error.strerror or str(error)
