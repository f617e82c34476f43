"""The command line: the one package that imports both sides."""
