"""`sluice run`: one process that owns the sockets and the files, and keeps gateways and models running."""
