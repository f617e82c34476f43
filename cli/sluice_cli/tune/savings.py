"""What a hit saves: what a call took and cost, where the data tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

from sluice_cli.tune.data import Recorded
from sluice_sidecar.config import Config, Price


@dataclass(frozen=True, slots=True)
class Saving:
    """What one call took (median seconds) and cost (mean), None where the data or the route does not say."""

    seconds: float | None
    cost: float | None
    currency: str = "USD"
    why_no_cost: str = ""


def saving(asks: Sequence[Recorded], config: Config, policy: str) -> Saving:
    """Counts calls at the price of the backend that the policy's first route compares with."""
    took = [ask.took for ask in asks if ask.took is not None]
    used = [ask.usage for ask in asks if ask.usage is not None]
    seconds = median(took) if took else None
    price = _price(config, policy)
    if price is None or not used:
        why = "no token counts in the data" if not used else "no ModelRoute with this policy names a price"
        return Saving(seconds, None, why_no_cost=why)
    cost = mean(float(price.cost(one.prompt, one.cached, one.completion)) for one in used)
    return Saving(seconds, cost, price.currency)


def _price(config: Config, policy: str) -> Price | None:
    routes = [route for route in config.routes.values() if route.policy == policy]
    prices = (route.backends[route.reference].price for route in routes if route.reference in route.backends)
    return next((price for price in prices if price is not None), None)
