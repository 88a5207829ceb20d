#!/usr/bin/env bash
# The service's tests in an environment of its own, as its users install it.
set -euo pipefail
cd "$(dirname "$0")/../../apps/style_transfer"
.venv/bin/python -m pytest --junit-xml="$GEOKUBE_TEST_REPORT"
