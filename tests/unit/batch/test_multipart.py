"""Forms, however their bytes come in."""

import pytest

from sluice_sidecar.ask import Problem
from sluice_sidecar.batch.multipart import Form, boundary_of

FILE = b"one\r\n--two\r\n--b0und\r\x00three\r\n"
FORM = (
    b'--b0und1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--b0und1\r\nContent-Disposition: form-data; name="file"; filename="a b.jsonl"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + FILE + b"\r\n"
    b'--b0und1\r\nContent-Disposition: form-data; name="empty"\r\n\r\n\r\n--b0und1--\r\n'
)


def fed(data: bytes, size: int) -> tuple[Form, bytes]:
    got = bytearray()
    form = Form(b"b0und1", got.extend)
    for at in range(0, len(data), size):
        form.feed(data[at : at + size])
    form.finish()
    return form, bytes(got)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_pieces_of_any_size_give_the_same(size: int) -> None:
    form, got = fed(FORM, size)
    assert got == FILE
    assert form.fields == {"purpose": "batch", "empty": ""}
    assert form.filename == "a b.jsonl"


@pytest.mark.parametrize(
    "broken",
    [FORM[:-12], b"hello" * 9, FORM.replace(b"name=", b"nome="), FORM.replace(b"batch", b"x" * 9_000), b""],
)
def test_what_is_no_form_is_refused(broken: bytes) -> None:
    with pytest.raises(Problem) as refused:
        fed(broken, 64)
    assert refused.value.code == "invalid_form"


@pytest.mark.parametrize("kind", [b"", b"application/json", b"multipart/form-data", b"multipart/mixed; boundary=x"])
def test_another_content_type_is_refused(kind: bytes) -> None:
    with pytest.raises(Problem) as refused:
        boundary_of(kind)
    assert refused.value.status == 415
    assert boundary_of(b'multipart/form-data; boundary="a b"') == b"a b"
