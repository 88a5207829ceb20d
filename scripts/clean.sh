#!/usr/bin/env bash
# Leave nothing behind: the lab, the state of its cluster, the environments, the caches.
set -euo pipefail
cd "$(dirname "$0")/.."
lab/lab down --purge
cache="${XDG_CACHE_HOME:-$HOME/.cache}/geokube"
chmod -R u+w "$cache" 2>/dev/null || true
rm -rf "$cache" build .venv .venv-2.18 .venv-bench inventories/lab/.geokube tests/output \
  .ansible .mypy_cache .ruff_cache .pytest_cache \
  apps/style_transfer/{.venv,build} apps/style_transfer/src/style_transfer/assets/{*.onnx,styles}
find . -name __pycache__ -type d -prune -exec rm -rf {} +
echo "removed the lab, its state, the virtual environments and the caches"
