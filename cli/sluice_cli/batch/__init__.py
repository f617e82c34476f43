"""`sluice batch`: batches of a running gateway."""
