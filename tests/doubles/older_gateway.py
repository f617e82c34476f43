"""A program: the gateway of a release that did not know the weighted strategy yet, in a cluster whose DNS is here."""

from typing import Any

import uvloop

from sluice_sidecar import config

LACKS = "weighted"


class ClusterDns(uvloop.Loop):
    """Every Service of the cluster is at 127.0.0.1."""

    async def getaddrinfo(self, host: Any, *rest: Any, **named: Any) -> Any:
        """See asyncio."""
        here = isinstance(host, str) and host.endswith(".svc")
        return await super().getaddrinfo("127.0.0.1" if here else host, *rest, **named)


if __name__ == "__main__":
    uvloop.new_event_loop = ClusterDns
    config.CAPABILITIES -= {LACKS}
    from sluice_sidecar.main import main  # what it imports takes the capabilities from there

    main()
