# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-inventory of both supported releases against the emulated clouds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from geokube_lab.clouds import Clouds

ROOT = Path(__file__).parents[3]
#: 40 machines, ten a cloud: two pages or more everywhere.
PAGES = {"aws": 5, "gcp": 4, "digitalocean": 4, "yandex": 4}
ZYGOTE = Path(__file__).with_name("inventory_zygote.py")
#: The releases of ansible-core, each with the setting that it is tested under.
RUNNERS = {
    "core 2.19": (ROOT / ".venv", "false"),
    "core 2.18": (ROOT / ".venv-2.18", "true"),
}


@dataclass(frozen=True)
class Done:
    """How a run of ansible-inventory ended; C(hosts) counts the hosts that were added to the inventory."""

    code: int
    stdout: str
    stderr: str
    hosts: int
    seconds: float

    @property
    def inventory(self) -> dict[str, Any]:
        """What --list printed, with the lines of -v before it left out."""
        listed: dict[str, Any] = json.loads(self.stdout[self.stdout.index("{\n") :], object_hook=_without_trust)
        return listed

    @property
    def hostvars(self) -> dict[str, dict[str, Any]]:
        """The variables of every host."""
        found: dict[str, dict[str, Any]] = self.inventory["_meta"]["hostvars"]
        return found


def _without_trust(value: dict[str, Any]) -> Any:
    """Take away the mark that core 2.19 puts on text that is never a template."""
    return value["__ansible_unsafe"] if value.keys() == {"__ansible_unsafe"} else value


class Runner:
    """Runs ansible-inventory of one release; see inventory_zygote.py."""

    def __init__(self, venv: Path, any_unparsed_is_failed: str, folder: Path) -> None:
        self.folder = folder
        #: Whether ansible-inventory itself has --flush-cache; core 2.18's has not.
        self.flushes = venv == ROOT / ".venv"
        self.clouds: Clouds | None = None
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GCP_", "YC_"))
        }
        environment |= {
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": any_unparsed_is_failed,
            "ANSIBLE_CONFIG": "",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(folder / "ansible-home"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(folder),
        }
        self._process = subprocess.Popen(
            [venv / "bin" / "python", ZYGOTE],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the zygote."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def source(self, **options: Any) -> Path:
        """Write an inventory file; C(only) narrows the providers, other options go in as they are."""
        assert self.clouds is not None
        only = options.pop("only", None)
        providers = {name: given for name, given in self.clouds.providers().items() if only is None or name in only}
        path = self.folder / "test.geokube.yml"
        document = {"plugin": "meridian.geokube.clouds", "cluster": "k1", "providers": providers, **options}
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path

    def run(
        self,
        *arguments: str,
        source: Path | None = None,
        environment: Mapping[str, str] | None = None,
        pages: Mapping[str, int] | None = None,
        command: str = "inventory",
        **options: Any,
    ) -> Done:
        """Run C(ansible-inventory --list), or another command of Ansible's, over a file made of C(options)."""
        assert self.clouds is not None and self._process.stdin is not None and self._process.stdout is not None
        path = source or self.source(**options)
        request = {
            "command": command,
            "argv": [*(arguments or ("--list",)), "-i", str(path)],
            "environment": {**self.clouds.environment(), **(environment or {})},
            "pages": PAGES if pages is None else pages,
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Done(**json.loads(self._process.stdout.readline()))
