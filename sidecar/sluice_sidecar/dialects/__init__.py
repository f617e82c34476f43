"""Wire formats: one file an endpoint."""
