"""Which authorities' certificates are trusted: the system's, and those of a file that may change meanwhile."""

import logging
import ssl
from pathlib import Path

from sluice_sidecar.credentials import stamp

_log = logging.getLogger("sluice.upstream")


class Trust:
    """Verification against the system's certificate authorities and, beside them, those of `bundle` (PEM).

    A bundle that is not there adds nothing, so that what only it vouches for is refused; one that cannot be read is a
    ValueError, here and from `reload`. What is trusted holds for connections made from then on.
    """

    __slots__ = ("_bundle", "_context", "_stamp")

    def __init__(self, bundle: Path | None = None) -> None:
        self._bundle = bundle
        self._context: ssl.SSLContext | None = None
        self._stamp: tuple[int, int, int] | None = None
        if bundle is not None:
            self._stamp = stamp(bundle)
            self._context = self._load()
            if self._stamp is None:
                _log.warning(
                    "%s is not there, so the system's authorities alone are trusted; where a pod is older than "
                    "egress.caBundle, start it again",
                    bundle,
                )

    @property
    def context(self) -> ssl.SSLContext:
        """For the next connection. Made when it is first wanted, for it takes about 20 ms."""
        if self._context is None:
            self._context = trusting()
        return self._context

    def reload(self) -> None:
        """Reads the bundle again if it changed. Raises ValueError when it is broken: what was trusted stays so."""
        if self._bundle is None:
            return
        found = stamp(self._bundle)
        if found != self._stamp:
            self._context = self._load()
            self._stamp = found  # not before: a broken bundle is told of every time, until it is whole

    def _load(self) -> ssl.SSLContext:
        context = trusting()
        try:
            context.load_verify_locations(cafile=self._bundle)
        except FileNotFoundError:
            pass
        except (ssl.SSLError, OSError) as error:
            why = error.reason if isinstance(error, ssl.SSLError) and error.reason else error.strerror or str(error)
            raise ValueError(
                f"egress.caBundle: {self._bundle} holds no certificates that can be read ({why}); "
                "write certificates in PEM into the entry of the ConfigMap"
            ) from None
        return context


def trusting() -> ssl.SSLContext:
    """Verification against the system's certificate authorities, HTTP/1.1 by ALPN."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
