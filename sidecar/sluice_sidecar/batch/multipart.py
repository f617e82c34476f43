"""multipart/form-data as it comes in: small fields in memory, the file handed on piece by piece. RFC 7578."""

import re
from collections.abc import Callable

from sluice_sidecar.ask import Problem

FIELD_BYTES = 8_192
"""Largest field that is no file, and largest head of a part."""

_NAME = re.compile(rb'[; ]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILENAME = re.compile(rb'[; ]filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_BOUNDARY = re.compile(rb'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)


def boundary_of(content_type: bytes) -> bytes:
    """What separates the parts. Raises Problem(415)."""
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith(b"multipart/form-data"):
        shown = content_type[:60].decode("latin-1")
        raise Problem(415, "unsupported_media_type", f"Send multipart/form-data with a boundary, not {shown!r}.")
    return found[1] or found[2]


class Form:
    """One form. `feed` takes the bytes as they come; `fields` and `filename` are whole after `finish`.

    `write` gets the bytes of the part named `file`.
    """

    def __init__(self, boundary: bytes, write: Callable[[bytes], object]) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        """None: no file came."""
        self._line, self._write = b"\r\n--" + boundary, write
        self._buffer = bytearray(b"\r\n")  # the first boundary has no line end before it
        self._part: Callable[[bytes], object] | None = None
        """Takes the bytes of the part that is being read; None: between parts, or before the first."""
        self._name, self._value = "", bytearray()
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Raises Problem(400) for what is no form."""
        self._buffer += data
        while not self._ended and self._step():
            pass

    def finish(self) -> None:
        """Raises Problem(400) for a form that was cut off."""
        if not self._ended:
            raise _broken("it ends before its last boundary")

    def _step(self) -> bool:
        """Whether something was taken off the buffer, so that more may be."""
        return self._head() if self._part is None else self._body()

    def _body(self) -> bool:
        assert self._part is not None
        at = self._buffer.find(self._line)
        if at >= 0:
            self._part(bytes(self._buffer[:at]))
            del self._buffer[:at]
            self._close()
            return True
        safe = len(self._buffer) - len(self._line)
        if safe > 0:
            self._part(bytes(self._buffer[:safe]))
            del self._buffer[:safe]
        return False

    def _head(self) -> bool:
        """At a boundary: the head of the part behind it, or the end."""
        line = len(self._line)
        if len(self._buffer) < line + 2:
            return False
        if not self._buffer.startswith(self._line):
            raise _broken("it does not begin with its boundary")
        if self._buffer[line : line + 2] == b"--":
            self._ended = True
            return False
        end = self._buffer.find(b"\r\n\r\n", line)
        if end < 0:
            if len(self._buffer) > line + FIELD_BYTES:
                raise _broken("the head of a part is too long")
            return False
        self._open(bytes(self._buffer[line:end]))
        del self._buffer[: end + 4]
        return True

    def _open(self, head: bytes) -> None:
        name, filename = _NAME.search(head), _FILENAME.search(head)
        if name is None:
            raise _broken("a part has no name")
        self._name, self._value = name[1].decode("utf-8", "replace"), bytearray()
        if self._name == "file":
            self.filename = filename[1].decode("utf-8", "replace")[:255] if filename else "file"
            self._part = self._write
        else:
            self._part = self._keep

    def _keep(self, data: bytes) -> None:
        self._value += data
        if len(self._value) > FIELD_BYTES:
            raise _broken(f"the field {self._name[:40]!r} is longer than {FIELD_BYTES} bytes")

    def _close(self) -> None:
        if self._name != "file":
            self.fields[self._name] = self._value.decode("utf-8", "replace")
        self._part = None


def _broken(why: str) -> Problem:
    return Problem(400, "invalid_form", f"The body is no multipart/form-data: {why}.")
