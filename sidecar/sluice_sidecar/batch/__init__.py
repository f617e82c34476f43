"""Deferred requests: acknowledged once they are on disk, run when their window is open, kept until they are fetched."""
