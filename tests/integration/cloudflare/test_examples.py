# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of every module's documentation run, as they stand there, and the token is in no output."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cloudflare_harness import ACCOUNT, GROUP, TOKEN, Edge, run_module
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from geokube_lab.edge.authority import Authority, private_pem

MODULES = sorted(GROUP)
ORIGIN = {"name": "first", "address": "192.0.2.99"}


def prepare(edge: Edge, module: str, folder: Path) -> None:
    """Make what an example says is there already."""
    pools = {
        "cloudflare_load_balancer": ["devfest-ru", "devfest-au"],
        "cloudflare_load_balancer_pool_origin": ["devfest-au"],
    }
    for name in pools.get(module, []):
        assert not run_module(edge, "cloudflare_load_balancer_pool", {"name": name, "origins": [ORIGIN]})["failed"]
    if module == "cloudflare_authenticated_origin_pulls":
        key = ec.generate_private_key(ec.SECP256R1())
        signed = Authority(folder, "ca", "pulls").issue(["edge.geokube.test"], key.public_key(), timedelta(days=30))
        (folder / "pulls.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        (folder / "pulls.key").write_bytes(private_pem(key))
    (folder / "private").mkdir()


def play(edge: Edge, module: str, folder: Path, tasks: list[dict[str, Any]]) -> str:
    """Run the tasks with the options that a user sets once; give the output at -vvvv."""
    options = {"base_url": edge.url, "api_token": "{{ lookup('ansible.builtin.env', 'EXAMPLE_TOKEN') }}"}
    document = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": sys.executable, "geokube_public_ip": "192.0.2.10"},
            "module_defaults": {"group/meridian.geokube.cloudflare": options},
            "tasks": tasks,
        }
    ]
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "-vvvv", "--diff", "-i", "localhost,", str(path)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "EXAMPLE_TOKEN": TOKEN},
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-4000:]
    return output


@pytest.mark.parametrize("module", MODULES)
def test_examples_run_as_they_stand(edge: Edge, module: str, tmp_path: Path) -> None:
    documented = importlib.import_module(f"ansible_collections.meridian.geokube.plugins.modules.{module}")
    text = documented.EXAMPLES.replace("example.com", "geokube.test").replace("/etc/ssl", str(tmp_path))
    assert ACCOUNT in text or "account_id" not in text
    prepare(edge, module, tmp_path)
    tasks = yaml.safe_load(text)
    assert any(f"meridian.geokube.{module}" in task for task in tasks)
    output = play(edge, module, tmp_path, tasks)
    assert TOKEN not in output
    assert "PRIVATE KEY" not in output
    assert edge.requests()


@pytest.mark.parametrize("module", MODULES)
def test_documentation_is_complete(module: str) -> None:
    documented = importlib.import_module(f"ansible_collections.meridian.geokube.plugins.modules.{module}")
    described = yaml.safe_load(documented.DOCUMENTATION)
    fragments = importlib.import_module("ansible_collections.meridian.geokube.plugins.doc_fragments.cloudflare")
    options = dict(described["options"])
    for name in described["extends_documentation_fragment"]:
        part = name.removeprefix("meridian.geokube.cloudflare").lstrip(".").upper() or "DOCUMENTATION"
        options.update(yaml.safe_load(getattr(fragments.ModuleDocFragment, part))["options"])
    assert set(options) == set(documented.argument_spec())
    assert yaml.safe_load(documented.RETURN)
    assert described["attributes"]["check_mode"]["support"] == "full"
