"""Where the queue of deferred requests is kept: one protocol, one file a store."""
