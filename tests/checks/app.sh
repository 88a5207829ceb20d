#!/usr/bin/env bash
# The service's tests in an environment of its own, as its users install it.
set -euo pipefail
cd "$(dirname "$0")/../../apps/style_transfer"
stamp=".venv/.installed-$(git ls-files -s pyproject.toml model_build hatch_build.py | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  python3 -m venv .venv
  ../../.venv/bin/uv pip install -q --python .venv/bin/python -e '.[test]'
  touch "$stamp"
fi
.venv/bin/python -m pytest --junit-xml="$GEOKUBE_TEST_REPORT"
