#!/usr/bin/env bash
# The collection as its users get it: built, installed into an empty folder, its playbooks called by name.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin="$PWD/.venv/bin"
git ls-files -z | tar --ignore-failed-read --null -T - -cf - | tar -xf - -C "$(mkdir -p "$work/source" && echo "$work/source")"
"$bin/ansible-galaxy" collection build "$work/source" --output-path "$work"
"$bin/ansible-galaxy" collection install "$work"/meridian-geokube-*.tar.gz --no-deps --force -p "$work/collections"
cp -r inventories/devfest "$work/inventory"
cd "$work"
for version in "" -2.18; do
  ANSIBLE_COLLECTIONS_PATH="$work/collections" ANSIBLE_HOME="$work/home" ANSIBLE_LOCALHOST_WARNING=false \
    "$bin/../../.venv$version/bin/ansible-playbook" -i inventory/hosts.ini meridian.geokube.site --syntax-check | tee output
  grep -q "playbook: $work/collections/" output
done
