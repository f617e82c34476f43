"""The release of the gateway, the operator and the command line: one distribution, one version."""

__version__ = "0.1.0"
