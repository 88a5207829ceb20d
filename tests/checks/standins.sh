#!/usr/bin/env bash
# The stand-in for Kubespray in its own folder, where its roles and modules are found.
set -euo pipefail
# The stand-in has a configuration of its own.
unset ANSIBLE_CONFIG
cd "$(dirname "$0")/../../lab/standins/kubespray"
../../../.venv/bin/ansible-lint -c ../../../.ansible-lint --offline --profile production --exclude galaxy.yml
