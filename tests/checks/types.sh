#!/usr/bin/env bash
# mypy sees the collection's plugins under their real names, through a link below build/.
set -euo pipefail
cd "$(dirname "$0")/../.."
config="$PWD/pyproject.toml"
mypy="$PWD/.venv/bin/mypy"
names=build/types/ansible_collections/meridian
mkdir -p "$names"
ln -sfn "$PWD" "$names/geokube"
status=0
(cd build/types && "$mypy" --config-file "$config" --cache-dir ../../.mypy_cache/plugins \
  -p ansible_collections.meridian.geokube.plugins) || status=1
MYPYPATH=lab "$mypy" --config-file "$config" --cache-dir .mypy_cache/lab -p geokube_lab || status=1
(cd lab/standins/cockroach && "$mypy" --config-file "$config" --cache-dir ../../../.mypy_cache/cockroach \
  --python-executable ../../../apps/style_transfer/.venv/bin/python -p cockroach_standin) || status=1
MYPYPATH=tests "$mypy" --config-file "$config" --cache-dir .mypy_cache/tests tests/run.py tests/steps.py tests/lanes.py || status=1
(cd apps/style_transfer && MYPYPATH=src "$mypy" --config-file "$config" --cache-dir ../../.mypy_cache/app \
  --python-executable .venv/bin/python -p style_transfer) || status=1
exit "$status"
