# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real commands of both releases, under both values of any_unparsed_is_failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from geokube_lab.clouds import Clouds, Fault
from inventory_runner import ROOT

PLAYBOOK = """
- hosts: all
  gather_facts: false
  connection: local
  tasks:
    - name: A task that must not run
      ansible.builtin.debug:
        msg: it ran
"""


def command(
    venv: Path, folder: Path, clouds: Clouds, *arguments: str, setting: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of Ansible's over the four clouds, with a user's environment."""
    source = folder / "geokube.yml"
    document = {"plugin": "meridian.geokube.clouds", "cluster": "k1", "providers": clouds.providers(), "deadline": 20}
    source.write_text(yaml.safe_dump(document))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE")},
        **clouds.environment(),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": setting,
        "HOME": str(folder),
    }
    return subprocess.run(
        [venv / "bin" / arguments[0], "-i", source, *arguments[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("setting", ["true", "false"])
def test_list(venv: Path, tmp_path: Path, clouds: Clouds, setting: str) -> None:
    """A healthy run lists everything and says nothing on the standard error."""
    done = command(venv, tmp_path, clouds, "ansible-inventory", "--list", setting=setting)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["_meta"]["hostvars"]) == 40
    assert done.stderr == ""


@pytest.mark.parametrize("setting", ["true", "false"])
@pytest.mark.parametrize("name", ["ansible-inventory", "ansible-playbook"])
def test_refused(venv: Path, tmp_path: Path, clouds: Clouds, name: str, setting: str) -> None:
    """A cloud that refuses ends any command with code 4 and one error, and nothing runs."""
    clouds.gcp.faults.add(Fault("status", status=403))
    playbook = tmp_path / "play.yml"
    playbook.write_text(PLAYBOOK)
    arguments = ["--list"] if name == "ansible-inventory" else [str(playbook)]
    done = command(venv, tmp_path, clouds, name, *arguments, setting=setting)
    assert done.returncode == 4
    assert done.stdout == ""
    assert "the list of machines is not complete\ngcp, project p1: HTTP 403: " in done.stderr
    assert done.stderr.count("ERROR") == 1
    assert "WARNING" not in done.stderr


def test_hang(venv: Path, tmp_path: Path, clouds: Clouds) -> None:
    """A server that sends its head a byte at a time costs the deadline, not more."""
    clouds.digitalocean.faults.add(Fault("drip-head", seconds=1))
    start = time.monotonic()
    done = command(venv, tmp_path, clouds, "ansible-inventory", "--list", setting="false")
    assert done.returncode == 4
    assert "digitalocean: no complete answer within the deadline of 20 s" in done.stderr
    assert time.monotonic() - start < 80


def test_only_what_is_configured_is_imported(tmp_path: Path) -> None:
    """A file with one cloud does not load the libraries of the others."""
    wanted = {
        "digitalocean": {"urllib3"},
        "gcp": {"urllib3"},
        "yandex": {"grpc", "yandex"},
        "aws": {"botocore", "urllib3"},
    }
    for provider, libraries in wanted.items():
        code = (
            "import sys\n"
            "from ansible_collections.meridian.geokube.plugins.plugin_utils import collect, layout\n"
            f"import ansible_collections.meridian.geokube.plugins.plugin_utils.providers.{provider} as module\n"
            "libraries = {'urllib3', 'grpc', 'yandex', 'botocore', 'boto3', 'requests'}\n"
            "before = sorted(libraries & set(sys.modules))\n"
            "module.load()\n"
            "print(before, sorted(libraries & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == f"[] {sorted(libraries)}"
