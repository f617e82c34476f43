"""A caller's wishes about reuse."""

import pytest

from sluice_sidecar.cachecontrol import DEFAULT, Reuse, reuse


@pytest.mark.parametrize(
    ("headers", "wish"),
    [
        ({}, DEFAULT),
        ({b"cache-control": b"no-store"}, Reuse(read=False, write=False)),
        ({b"cache-control": b"No-Cache"}, Reuse(read=False)),
        ({b"cache-control": b"max-age=60, stale-if-error"}, Reuse(max_age=60)),
        ({b"cache-control": b"max-age=0"}, Reuse(read=False, max_age=0)),
        ({b"cache-control": b"max-age=soon"}, DEFAULT),
        ({b"x-sluice-similarity": b"0.97"}, Reuse(min_similarity=0.97)),
        ({b"x-sluice-similarity": b"97"}, DEFAULT),
        ({b"x-sluice-similarity": b"nan"}, DEFAULT),
    ],
)
def test_wishes(headers: dict[bytes, bytes], wish: Reuse) -> None:
    assert reuse(headers) == wish
