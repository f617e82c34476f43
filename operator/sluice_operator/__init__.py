"""The operator, and the kinds that users write."""
