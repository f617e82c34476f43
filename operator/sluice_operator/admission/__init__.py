"""The mutating webhook that adds gateways to pods, and the server behind it."""
