"""What a test needs from the machine: missing, it skips the test here and fails it in CI."""

import os
import shutil

import pytest


def require(present: object, what: str, cure: str) -> None:
    """Goes on when `present` is true. Otherwise the test is skipped, or fails where CI=true."""
    if present:
        return
    message = f"{what} is missing: {cure}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def program(name: str, package: str | None = None) -> str:
    """The path of a program that Debian's `package` (default: the same name) brings."""
    found = shutil.which(name)
    require(found, name, f"apt-get install {package or name}")
    assert found is not None
    return found
