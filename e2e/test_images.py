"""The images build from their Dockerfiles, are as small as promised, do not run as root and list their parts."""

import json
import os
import shutil
import subprocess

import pytest

from doubles.components import require
from e2e.images.build import archive, build, compressed, store, tag
from e2e.kubebox.image import Image

MOST = {"gateway": 200e6, "operator": 80e6}
"""Bytes, compressed, with the stand-in base."""


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    require(
        shutil.which("buildah") and os.geteuid() == 0, "buildah as root", "apt-get install buildah runc busybox-static"
    )
    build(*MOST, "llama")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", MOST)
def test_an_image_is_small(name: str) -> None:
    assert compressed(name) < MOST[name]


@pytest.mark.parametrize("name", [*MOST, "llama"])
def test_an_image_does_not_run_as_root(name: str) -> None:
    assert Image.read(archive(name)).config["User"] == "65532:65532"


@pytest.mark.parametrize("name", [*MOST, "llama"])
def test_an_image_lists_its_parts(name: str) -> None:
    command = "m=$(buildah --root $0 --runroot $1 --storage-driver overlay from --pull-never $2) && "
    command += "d=$(buildah --root $0 --runroot $1 --storage-driver overlay mount $m) && cat $d/opt/app/sbom.cdx.json; "
    command += "buildah --root $0 --runroot $1 --storage-driver overlay rm $m >/dev/null"
    _, _, root, _, runroot, *_ = store()
    unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-c", command, root, runroot, tag(name)]
    parts = json.loads(subprocess.run(unshare, check=True, capture_output=True).stdout)["components"]
    named = {part["name"] for part in parts}
    assert {"gateway": "onnxruntime", "operator": "kopf", "llama": "xllamacpp"}[name] in named
    assert all(part.get("version") for part in parts)
