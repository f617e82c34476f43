"""Ways of reusing an answer: one file a strategy."""
