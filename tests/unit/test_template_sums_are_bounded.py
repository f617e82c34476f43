"""An answer of very many numbers is not searched for every sum of two of them."""

from sluice_sidecar.cache.reuse.template.relations import COLUMNS, MOST, Numbers, Product, Rows, Total, learned


def test_sums_are_looked_for_among_the_first_scalars_alone() -> None:
    seen: list[tuple[Numbers, Rows]] = [
        ({(f"f{place:03}",): float(place) for place in range(1, 4 * MOST)}, {}) for _ in range(2)
    ]
    found = [one for one in learned(seen) if isinstance(one, Total)]
    assert found
    assert {path for one in found for path in (one.first, one.second, one.total)} <= {
        (f"f{place:03}",) for place in range(1, MOST + 1)
    }


def test_products_are_looked_for_among_the_first_columns_alone() -> None:
    rows: Rows = {("rows",): [{(f"c{place:03}",): 1.0 for place in range(4 * COLUMNS)}]}
    seen: list[tuple[Numbers, Rows]] = [({}, rows)] * 2
    found = [one for one in learned(seen) if isinstance(one, Product)]
    assert found
    assert {one.product for one in found} <= {(f"c{place:03}",) for place in range(COLUMNS)}
