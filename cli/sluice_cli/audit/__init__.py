"""`sluice audit`: which sections of a prompt earn their tokens, asked of the model on recorded requests."""
