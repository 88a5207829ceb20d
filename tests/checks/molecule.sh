#!/usr/bin/env bash
# One scenario, by name, on the lab that stands.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/checks/skip.sh
. tests/checks/skip.sh
skip_unless_root "molecule"
export PATH="$PWD/.venv/bin:$PATH"
exec molecule test --scenario-name "$1"
