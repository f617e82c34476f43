"""Prompts of which it is known what every section is worth, and what an audit makes of them."""
