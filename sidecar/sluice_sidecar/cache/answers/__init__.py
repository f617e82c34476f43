"""Whether two answers say the same: what every bound of the cache is relative to."""
