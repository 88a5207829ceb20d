#!/usr/bin/env bash
# Every shell script that git knows.
set -euo pipefail
cd "$(dirname "$0")/../.."
git ls-files -z '*.sh' .ci/run lab/lab | xargs -0 shellcheck
