"""From a Config's `state` to the totals that a ledger shares by it."""

from sluice_sidecar.config import RedisServer
from sluice_sidecar.ledger.ledger import Ledger
from sluice_sidecar.options import GatewayOptions
from sluice_sidecar.upstream.guard import Guard


class Sharing:
    """Has `ledger` share its totals as the latest Config says; what a Config does not use is never loaded."""

    def __init__(self, ledger: Ledger, options: GatewayOptions) -> None:
        self._ledger, self._options = ledger, options
        self._by: tuple[RedisServer, Guard] | None = None

    async def use(self, state: RedisServer | None, guard: Guard) -> None:
        """Shares by `state` from now on; None: no longer. `guard` says where a server that is not managed may be."""
        by = None if state is None else (state, guard)
        if by == self._by:
            return
        self._by = by
        if state is None:
            await self._ledger.share(None)
            return
        from sluice_sidecar.cache.stores.shared import redis_server
        from sluice_sidecar.ledger.shared import SharedTotals, replica

        options = self._options
        await self._ledger.share(
            SharedTotals(
                state.prefix,
                redis_server(state, options.credentials, guard),
                self._ledger.own,
                replica=replica(options.data),
                worker=options.worker,
            )
        )
