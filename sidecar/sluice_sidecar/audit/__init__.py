"""Prompt economy: which prompts are sent, which of their sections earn their tokens, and rewrites that shorten them."""
