"""A gateway in a Kubernetes cluster: its Config by the API server, reports to the operator, credentials by relay."""
