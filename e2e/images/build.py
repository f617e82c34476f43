"""Builds the images of images/*.Dockerfile with buildah, without a daemon or a registry: python -m e2e.images.build.

As root, in a mount namespace of its own, so that no mount of buildah's stays behind. Layers and archives are cached
outside the tree; an image whose parts have not changed is not built again.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from e2e.images.base import CERTIFICATES, write_base
from e2e.kubebox.build import cache
from e2e.kubebox.image import Image

ROOT = Path(__file__).resolve().parents[2]
BASE = "docker.io/library/python:3.13-slim"
STAND_IN = "localhost/python-stand-in:1"
IMAGES = ("gateway", "operator", "llama")
"""What is shipped; `app`, the application of the tests, is beside this file."""
INSIDE = "SLUICE_IMAGES_INSIDE"


def store() -> list[str]:
    """buildah with a store of its own."""
    folder = cache() / "images"
    return ["buildah", "--root", f"{folder}/store", "--runroot", f"{folder}/run", "--storage-driver", "overlay"]


def archive(name: str) -> Path:
    """Where an image's docker-archive tar is."""
    return cache() / "images" / f"{name}.tar"


def tag(name: str) -> str:
    """The image's name in a cluster."""
    return f"sluice.test/sluice-{name}:e2e"


def build(*names: str) -> None:
    """Builds images and writes their archives. Raises CalledProcessError."""
    command = [sys.executable, "-m", "e2e.images.build", *names]
    unshare = ["unshare", "--mount", "--propagation", "private"]
    subprocess.run([*unshare, *command], check=True, cwd=ROOT, env={**os.environ, INSIDE: "1"})


def compressed(name: str) -> int:
    """Bytes that a registry would hold: every layer gzipped."""
    return sum(len(gzip.compress(layer, 6)) for layer in Image.read(archive(name)).layers)


def _ensure_base() -> None:
    if subprocess.run([*store(), "inspect", "--type", "image", BASE], capture_output=True, check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        write_base(Path(folder, "python.tar"))
        image = Image().add(Path(folder, "python.tar"), "/")
        # The certificates are this machine's, and pip must be told to use them.
        environment = ["PATH=/usr/local/bin:/usr/bin:/bin", f"PIP_CERT={CERTIFICATES}"]
        image.set(Env=environment, Cmd=["python3"]).write(Path(folder, "base.tar"), STAND_IN)
        pull = [*store(), "pull", "-q", f"docker-archive:{folder}/base.tar"]
        subprocess.run(pull, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*store(), "tag", STAND_IN, BASE], check=True)


def _build(name: str) -> bool:
    """Whether it was built: False where it is there, of the same parts."""
    bud = [*store(), "bud", "--quiet", "--pull=false", "--layers", "--isolation", "chroot"]
    dockerfile = next(f for f in (ROOT / d / f"{name}.Dockerfile" for d in ("images", "e2e/images")) if f.exists())
    out, made_of = archive(name), _made_of(dockerfile)
    stamp = out.with_suffix(".sha256")
    if out.exists() and stamp.exists() and stamp.read_text() == made_of:
        return False
    stamp.unlink(missing_ok=True)
    arguments = [f"--build-arg=BASE={BASE}", "-f", str(dockerfile), "-t", tag(name), str(ROOT)]
    try:
        subprocess.run([*bud, *arguments], check=True, stdout=subprocess.DEVNULL)
    finally:
        subprocess.run([*store(), "rm", "--all"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    part = out.with_suffix(".part")
    part.unlink(missing_ok=True)
    subprocess.run([*store(), "push", "-q", tag(name), f"docker-archive:{part}:{tag(name)}"], check=True)
    part.replace(out)
    stamp.write_text(made_of)
    return True


def _made_of(dockerfile: Path) -> str:
    """Digest of all that an image is made of: its Dockerfile, what that copies, this Python, and how it is built."""
    digest = hashlib.sha256(sys.version.encode())
    lines = dockerfile.read_text().splitlines()
    copied = [
        part for line in lines if line.startswith("COPY ") and "--from" not in line for part in line.split()[1:-1]
    ]
    files = [dockerfile, Path(__file__), Path(__file__).with_name("base.py")]
    for source in (ROOT / part for part in copied):
        files += (
            sorted(f for f in source.rglob("*") if f.suffix != ".pyc" and f.is_file()) if source.is_dir() else [source]
        )
    for file in files:
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def main() -> None:
    """Builds the images named, or all, and prints the compressed size of each that was built anew."""
    names = sys.argv[1:] or list(IMAGES)
    if os.environ.get(INSIDE) != "1":
        if os.geteuid() != 0 or not shutil.which("buildah"):
            sys.exit("images: building needs root and Debian's buildah, runc and busybox-static")
        build(*names)
        return
    _ensure_base()
    for name in names:
        size = f"{compressed(name) / 1e6:.0f} MB compressed" if _build(name) else "is as it was"
        print(f"{tag(name)} {size}", flush=True)


if __name__ == "__main__":
    main()
