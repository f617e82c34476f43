"""How a route picks a backend: one file a strategy."""
