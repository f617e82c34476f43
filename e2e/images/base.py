"""A stand-in for `python:3.13-slim` where no image registry can be reached: this machine's own interpreter.

It holds that interpreter, its standard library and pip at their own paths, the shared libraries that these need,
certificates, and busybox as a shell. /usr/local/bin/python leads to it. What the real base brings otherwise is not
proven by images built on it.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable
from pathlib import Path

LEFT_OUT = frozenset({"test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages"})
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
APPLETS = ("sh", "ls", "cat", "id", "ps", "env", "sleep", "kill", "mkdir", "rm", "echo", "grep", "wget", "head", "tail")
TEXTS = {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n",
    "/etc/group": "root:x:0:\nnonroot:x:65532:\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
}


def write_base(out: Path) -> None:
    """Writes the root file system as a tar."""
    program = os.path.realpath(sys.executable)
    library = Path(sysconfig.get_path("stdlib"))
    entries = {program: program}
    for path in library.rglob("*"):
        inside = path.relative_to(library).parts
        skipped = any(part in LEFT_OUT or part.startswith("config-") for part in inside[:-1])
        if (
            path.is_file()
            and not skipped
            and path.suffix not in (".a", ".pyc")
            and not path.name.startswith("_tkinter")
        ):
            entries[str(path)] = str(path)
    for pip in library.glob("site-packages/pip*"):
        entries |= {str(file): str(file) for file in pip.rglob("*") if file.is_file() and file.suffix != ".pyc"}
    entries |= {path: os.path.realpath(path) for path in _libraries(program, entries)}
    if Path(CERTIFICATES).exists():
        entries[CERTIFICATES] = os.path.realpath(CERTIFICATES)
    links = {"/usr/local/bin/python": program, "/usr/local/bin/python3": program}
    busybox = shutil.which("busybox")
    if busybox:
        entries["/bin/busybox"] = os.path.realpath(busybox)
        links |= {f"/bin/{name}": "/bin/busybox" for name in APPLETS} | {"/usr/bin/env": "/bin/busybox"}
    _write(out, entries, links)


def _libraries(program: str, entries: Iterable[str]) -> set[str]:
    """What the programs load, and what compiled wheels may count on: the C library's parts, the compilers' runtimes."""
    cached = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    names = r"lib(?:c|m|dl|rt|util|pthread|resolv|gcc_s|stdc\+\+|gomp)\.so\.\d+ .*x86-64.* => (\S+)"
    common = re.findall(names, cached)
    found = set(common)
    for file in (program, *common, *(path for path in entries if path.endswith(".so"))):
        listed = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
        found.update(re.findall(r"(/\S+) \(0x", listed))
    return found


def _write(out: Path, entries: dict[str, str], links: dict[str, str]) -> None:
    made: set[str] = set()
    with tarfile.open(out, "w") as tar:

        def add(name: str, kind: bytes, mode: int, content: bytes = b"", target: str = "") -> None:
            for parent in reversed(Path(name).parents[:-1]):
                if str(parent) not in made:
                    made.add(str(parent))
                    folder = tarfile.TarInfo(str(parent).lstrip("/"))
                    folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(folder)
            made.add(name)
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, len(content)
            tar.addfile(entry, io.BytesIO(content))

        add("/tmp", tarfile.DIRTYPE, 0o1777)
        for name, source in sorted(entries.items()):
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
            add(name, tarfile.REGTYPE, mode, Path(source).read_bytes())
        for name, text in sorted(TEXTS.items()):
            add(name, tarfile.REGTYPE, 0o644, text.encode())
        for name, target in sorted(links.items()):
            add(name, tarfile.SYMTYPE, 0o777, target=target)
