"""Whatever is added and removed, codes find what brute force finds while there are no more than candidates."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.sign_codes import CANDIDATES, SignCodes

POOL = np.random.default_rng(1).standard_normal((64, WIDTH)).astype(np.float32)
POOL /= np.linalg.norm(POOL, axis=1, keepdims=True)

STEPS = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(st.integers(0, 40), min_size=1, max_size=8, unique=True),
        st.integers(0, 63),
        st.floats(0.0, 20.0),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, sought=st.integers(0, 63), limit=st.integers(1, 40), now=st.floats(0.0, 20.0))
def test_as_brute_force(steps: list[tuple[bool, list[int], int, float]], sought: int, limit: int, now: float) -> None:
    codes, there = SignCodes(), dict[str, tuple[int, float]]()
    for adds, numbers, vector, end in steps:
        keys = [f"{number:032x}" for number in numbers]
        if adds:
            rows = [(vector + at) % 64 for at in range(len(keys))]
            codes.add(keys, [end] * len(keys), POOL[rows])
            there.update(zip(keys, ((row, end) for row in rows), strict=True))
        else:
            for key in keys:
                codes.remove(key)
                there.pop(key, None)
    living = {key: float(POOL[row] @ POOL[sought]) for key, (row, end) in there.items() if end > now}
    found = codes.nearest(POOL[sought], limit, now)
    assert len(codes) == len(there) <= CANDIDATES
    assert len(found) == len(set(found)) == min(limit, len(living))
    assert set(found) <= set(living)
    worst = min((living[key] for key in found), default=0.0)
    assert all(cosine <= worst + 0.005 for key, cosine in living.items() if key not in found)
