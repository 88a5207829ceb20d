"""What the end-to-end tests share: the lab's command, a client in a region, the playbook."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from geokube_lab.demo.photo import fresh

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "inventories" / "lab" / ".geokube" / "devfest"
PHOTO = ROOT / "build" / "photo.jpg"
NODES = {
    "ru": "192.0.2.10",
    "sg": "192.0.2.138",
    "au": "198.51.100.10",
    "br": "198.51.100.138",
}


@dataclass(frozen=True)
class Reply:
    """An answer that a client in a region got: HTTP status (0 when there was none), headers, seconds, error."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    @property
    def region(self) -> str:
        """The region that says it served."""
        return self.headers.get("x-geokube-region", "")


class Lab:
    """The lab's command, as its user types it."""

    def run(self, *arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run lab/lab with the arguments."""
        return subprocess.run(
            (str(ROOT / "lab" / "lab"), *arguments),
            capture_output=True,
            text=True,
            check=check,
            timeout=timeout,
            cwd=ROOT,
        )

    def post(self, region: str, output: Path, *options: str, size: int = 512) -> Reply:
        """Post the photo from a region's client; give the reply, also when there was none."""
        done = self.run(
            *("client", region, "--", "curl", "-sS", "--max-time", "30", "-D", "-", "-o", str(output)),
            *(
                "-H",
                "Content-Type: image/jpeg",
                "--data-binary",
                f"@{fresh(PHOTO, output.parent)}",
                "-w",
                "time %{time_total} %{http_code}\n",
            ),
            *options,
            f"https://style.geokube.test/v1/stylize?size={size}",
            check=False,
        )
        return parse_reply(done)

    def get(self, region: str, path: str) -> Reply:
        """Get a path of the service from a region's client."""
        done = self.run(
            *("client", region, "--", "curl", "-sS", "--max-time", "30", "-D", "-", "-o", "/dev/null"),
            *("-w", "time %{time_total} %{http_code}\n", f"https://style.geokube.test{path}"),
            check=False,
        )
        return parse_reply(done)


def parse_reply(done: subprocess.CompletedProcess[str]) -> Reply:
    """Read curl's dumped headers and its last line."""
    times = re.search(r"^time ([\d.]+) (\d+)$", done.stdout, re.MULTILINE)
    headers = {
        name.strip().lower(): value.strip()
        for name, value in re.findall(r"^([A-Za-z0-9-]+):(.*)$", done.stdout, re.MULTILINE)
    }
    if times is None:
        return Reply(0, headers, 0.0, done.stderr.strip())
    return Reply(int(times.group(2)), headers, float(times.group(1)), done.stderr.strip())


class Playbook:
    """ansible-playbook on the lab's inventory."""

    def run(
        self, *arguments: str, inventory: Path | None = None, timeout: float = 900, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run site.yml; give the finished process with its output."""
        return subprocess.run(
            (
                str(Path(sys.executable).parent / "ansible-playbook"),
                *("-i", str(inventory or ROOT / "inventories" / "lab"), "site.yml", *arguments),
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **environment},
        )


def recap(output: str) -> dict[str, dict[str, int]]:
    """Read the play recap: {host: {ok, changed, unreachable, failed, ...}}."""
    table = {}
    for line in output.partition("PLAY RECAP")[2].splitlines():
        host, _, numbers = line.partition(":")
        pairs = re.findall(r"(\w+)=(\d+)", numbers)
        if pairs:
            table[host.strip()] = {name: int(value) for name, value in pairs}
    return table
