"""What the operator makes ready in managed stores is what gateways look for there."""

from sluice_operator import qdrant_admin
from sluice_operator.plan.store_secrets import REDIS_COMMANDS
from sluice_sidecar.cache.embed import WIDTH
from sluice_sidecar.cache.stores.points import VECTOR
from sluice_sidecar.cache.stores.qdrant import INDEXES
from sluice_sidecar.cache.stores.redis import COMMANDS


def test_gateways_may_use_the_commands_of_their_store_and_no_others() -> None:
    assert set(REDIS_COMMANDS) == set(COMMANDS)


def test_collections_have_the_vector_and_the_indexes_of_the_gateways_store() -> None:
    assert (qdrant_admin.VECTOR, qdrant_admin.WIDTH, qdrant_admin.DISTANCE) == (VECTOR, WIDTH, "Cosine")
    assert qdrant_admin.INDEXES == INDEXES
