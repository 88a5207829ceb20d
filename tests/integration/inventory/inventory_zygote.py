# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-inventory many times without its start-up: a process that has loaded Ansible forks for each run.

Reads one JSON object a line: {"command": "inventory", "argv": [...], "environment": {...}, "pages": {"aws": 5}}.
Answers with one line:
{"code": exit code, "stdout": ..., "stderr": ..., "hosts": how many hosts were added, "seconds": ...}.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ansible.cli.inventory
import ansible.cli.playbook
import ansible.inventory.data
import botocore.auth
import botocore.session  # noqa: F401
import urllib3  # noqa: F401

PROVIDERS = "ansible_collections.meridian.geokube.plugins.plugin_utils.providers"


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
        answers.flush()


def run(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run ansible-inventory in a child and wait for it."""
    folder = Path(tempfile.mkdtemp())
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        # Leaves by SystemExit, so that the interpreter ends as it does for a user: nothing may hold it up.
        in_child(request, folder)
    _pid, status = os.waitpid(child, 0)
    seconds = time.monotonic() - start
    count = folder / "hosts"
    answer = {
        "code": os.waitstatus_to_exitcode(status),
        "stdout": (folder / "stdout").read_text(),
        "stderr": (folder / "stderr").read_text(),
        "hosts": count.stat().st_size if count.exists() else 0,
        "seconds": seconds,
    }
    shutil.rmtree(folder)
    return answer


def in_child(request: Mapping[str, Any], folder: Path) -> None:
    """Become ansible-inventory; every host that is added leaves a byte in a file."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, number)
    os.environ.update(request["environment"])
    added = (folder / "hosts").open("a", buffering=1)
    add_host = ansible.inventory.data.InventoryData.add_host

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        added.write(".")
        added.flush()
        return add_host(self, *args, **kwargs)

    ansible.inventory.data.InventoryData.add_host = counted
    if request["pages"]:
        from ansible.plugins.loader import init_plugin_loader

        init_plugin_loader()
        for provider, size in request["pages"].items():
            # Small pages stand for the real limits, or every case would need a thousand machines.
            module: Any = importlib.import_module(f"{PROVIDERS}.{provider}")
            module.PAGE = size
        ansible.cli.init_plugin_loader = lambda *args: None
    sys.argv = [f"ansible-{request['command']}", *request["argv"]]
    importlib.import_module(f"ansible.cli.{request['command']}").main(sys.argv)


if __name__ == "__main__":
    main()
