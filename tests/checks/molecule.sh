#!/usr/bin/env bash
# Every scenario on the lab that stands, a check each.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/checks/skip.sh
. tests/checks/skip.sh
skip_unless_root "molecule"
export PATH="$PWD/.venv/bin:$PATH"
passed=0 failed=0
for folder in molecule/*/; do
  scenario=$(basename "$folder")
  echo "--- scenario $scenario"
  if molecule test --scenario-name "$scenario"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "scenario $scenario failed"
  fi
done
printf '<testsuites><testsuite name="molecule" tests="%s" failures="%s" errors="0" skipped="0"/></testsuites>\n' \
  $((passed + failed)) "$failed" > "$GEOKUBE_TEST_REPORT"
[ "$failed" -eq 0 ]
