#!/usr/bin/env bash
# ansible-test wants a checkout of its own below ansible_collections, and its helper environments built offline.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
cache="${XDG_CACHE_HOME:-$HOME/.cache}/geokube/ansible-test"
mkdir -p "$cache/.ansible/test/cache"
install -m 644 tests/checks/get_pip.py "$cache/.ansible/test/cache/get_pip_24_2.py"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target="$work/ansible_collections/meridian/geokube"
mkdir -p "$target"
git ls-files -z .gitignore plugins meta galaxy.yml README.md LICENSE changelogs roles playbooks tests/sanity CHANGELOG.rst \
  | tar --ignore-failed-read --null -T - -cf - | tar -xf - -C "$target"
cd "$target"
git init -q && git add -A
HOME="$cache" "$root/.venv/bin/ansible-test" sanity --venv --color no --python 3.11 "$@"
