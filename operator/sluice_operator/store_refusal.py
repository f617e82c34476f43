"""Why a managed store could not be told something."""


class StoreRefusal(Exception):  # noqa: N818  (it says what the store did)
    """What went wrong and where, in words for a status: no secret value is in it. It is tried again."""
