#!/usr/bin/env bash
# Install what the project needs. Usage: setup.sh [packages] [test-packages] [python] [tests] [app]; what is there already costs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
uv_version=0.13.9

# packages FILE: the Debian packages that it lists
packages() {
  mapfile -t wanted < <(grep -hv '^#' "$1")
  local missing=()
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  if [ "${#missing[@]}" -eq 0 ]; then return; fi
  if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: these Debian packages are missing and need root to install: ${missing[*]}" >&2
    return
  fi
  echo "installing Debian packages: ${missing[*]}"
  # Runlevel 1: packages of servers are wanted for their programs, not as running services.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get update -q
  apt-get install -qy --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
}

# environment FOLDER REQUIREMENTS...: a virtual environment that holds them and finds this clone as the collection
environment() {
  local folder=$1 stamp
  shift
  stamp="$folder/.installed-$(cat "$@" | sha256sum | cut -c1-16)"
  if [ -e "$stamp" ]; then return; fi
  echo "installing Python packages into $folder"
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  "$folder/bin/python" -m pip install -q "uv==$uv_version"
  local arguments=()
  for file in "$@"; do arguments+=(-r "$file"); done
  "$folder/bin/uv" pip install -q --python "$folder/bin/python" "${arguments[@]}"
  local collections
  collections=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections
  mkdir -p "$collections/meridian"
  ln -sfn "$PWD" "$collections/meridian/geokube"
  rm -f "$folder"/.installed-*
  touch "$stamp"
}

# the service in an environment of its own, as its users install it
app() {
  local folder=apps/style_transfer stamp
  stamp="$folder/.venv/.installed-$(cat $folder/pyproject.toml $folder/hatch_build.py $folder/model_build/*.py | sha256sum | cut -c1-16)"
  if [ -e "$stamp" ]; then return; fi
  echo "installing the service into $folder/.venv"
  [ -x "$folder/.venv/bin/python" ] || python3 -m venv "$folder/.venv"
  .venv/bin/uv pip install -q --python "$folder/.venv/bin/python" -e "${folder}[test]"
  rm -f "$folder"/.venv/.installed-*
  touch "$stamp"
}

for part in "$@"; do
  case "$part" in
    packages) packages lab/packages/host.txt ;;
    test-packages) packages tests/packages.txt ;;
    python) environment .venv requirements-dev.lock ;;
    tests) environment .venv-2.18 requirements-2.18.lock ;;
    app) app ;;
    *) echo "setup.sh: no such part: $part (packages, test-packages, python, tests, app)" >&2; exit 2 ;;
  esac
done
