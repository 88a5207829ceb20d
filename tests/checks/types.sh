#!/usr/bin/env bash
# mypy sees the collection's plugins under their real names, through the link in the virtual environment.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
config="$root/pyproject.toml"
cd "$root/.venv/lib/python3.11/site-packages"
"$root/.venv/bin/mypy" --config-file "$config" --cache-dir "$root/.mypy_cache/plugins" \
  -p ansible_collections.meridian.geokube.plugins
cd "$root"
MYPYPATH=lab .venv/bin/mypy --config-file "$config" --cache-dir .mypy_cache/lab -p geokube_lab
.venv/bin/mypy --config-file "$config" --cache-dir .mypy_cache/app apps/style_transfer/src tests/run.py
