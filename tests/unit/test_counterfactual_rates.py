"""Integer prices cost what Decimal prices cost."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sluice_sidecar.ask import Usage
from sluice_sidecar.config import Price
from sluice_sidecar.ledger.counterfactual import rates
from sluice_sidecar.ledger.decision import decimal

amounts = st.decimals(0, 1000, places=6, allow_nan=False)
tokens = st.integers(0, 10_000_000)


@given(amounts, st.none() | amounts, amounts, tokens, tokens, tokens)
def test_cost_equals_the_price_by_decimals(
    prompt_price: Decimal, cached_price: Decimal | None, output: Decimal, prompt: int, cached: int, completion: int
) -> None:
    price = Price(input=prompt_price, cached_input=cached_price, output=output)
    cached = min(cached, prompt)
    assert decimal(rates(price).cost(Usage(prompt, cached, completion))) == price.cost(prompt, cached, completion)


def test_an_upstream_that_caches_more_than_it_read_is_not_paid_negatively() -> None:
    assert rates(Price(input=Decimal(2))).cost(Usage(10, 50, 0)) == 20_000_000
