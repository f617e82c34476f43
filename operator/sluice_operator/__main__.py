"""`python -m sluice_operator` and `sluice-operator`: main, or how to get what it needs."""

import sys

EXTRA = frozenset({"aiohttp", "cryptography", "kopf", "kubernetes"})
"""What the extra `operator` brings."""


def main() -> int:
    """Runs `main.main` and returns its exit status; 2 where the extra is not installed."""
    try:
        from sluice_operator.main import main as run
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in EXTRA:
            raise
        needs = "the operator needs its extra: pip install 'sluice-llm[operator]'"
        print(f"sluice-operator: there is no {missing.name}; {needs}", file=sys.stderr)  # noqa: T201  (no logs yet)
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
