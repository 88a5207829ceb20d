#!/usr/bin/env bash
# The road of the README, as its reader walks it.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/checks/skip.sh
. tests/checks/skip.sh
skip_unless_root "the road in the lab"
make demo
