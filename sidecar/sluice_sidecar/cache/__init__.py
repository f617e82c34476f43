"""Reuse of answers."""
