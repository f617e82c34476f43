"""Deferred requests while their processes are killed: a generated history, and what must hold of it."""
