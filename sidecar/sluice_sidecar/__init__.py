"""The gateway: one request's journey from the caller to a cached answer or a model, and back."""
