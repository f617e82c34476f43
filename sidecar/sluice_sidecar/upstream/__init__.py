"""Calls to models: connections, streams, and where they may go."""
