"""A world of its own for a second lab: what it makes, kills and leaves behind cannot touch the lab that stands.

The sandbox has its own mounts (/run, /var/lib/geokube-lab, the cgroup hierarchies), network, processes and cgroups.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
_INIT = """
set -eu
mount --make-rprivate /
umount --recursive --lazy /run/netns 2>/dev/null || true
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /var/lib/geokube-lab
mount --bind /run/netns /run/netns
mount --make-shared /run/netns
mount --bind "$DATA" /var/lib/geokube-lab
for hierarchy in $HIERARCHIES; do
    mount --bind "/sys/fs/cgroup/$hierarchy/$OWN" "/sys/fs/cgroup/$hierarchy"
done
ip link set lo up
: > "$DATA.ready"
trap : TERM
while :; do sleep 3600 & wait; done
"""


class Sandbox:
    """Namespaces held by one process; commands run inside them."""

    def __init__(self, data: Path, name: str = "geokube-sandbox") -> None:
        """`data` is the sandbox's /var/lib/geokube-lab, on a file system that overlayfs can write to."""
        self._name = name
        data.mkdir()
        data.chmod(0o755)
        # The memory hierarchy may be entered below the caller's own cgroup only.
        self._cgroups = []
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            hierarchy = names.split(",")[0].removeprefix("name=") or "unified"
            self._cgroups.append((hierarchy, CGROUPS / hierarchy / path.lstrip("/") / name))
        for hierarchy, folder in self._cgroups:
            folder.mkdir(exist_ok=True)
            if hierarchy == "cpuset":
                for setting in ("cpuset.cpus", "cpuset.mems"):
                    (folder / setting).write_text((folder.parent / setting).read_text())
        relative = {hierarchy: folder.relative_to(CGROUPS / hierarchy) for hierarchy, folder in self._cgroups}
        script = _INIT.replace('"/sys/fs/cgroup/$hierarchy/$OWN"', '"/sys/fs/cgroup/$hierarchy/$(own $hierarchy)"')
        cases = " ".join(f"{hierarchy}) echo {path} ;;" for hierarchy, path in relative.items())
        script = f"own() {{ case $1 in {cases} esac; }}\n" + script
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--cgroup", "--kill-child", "sh", "-c", script],
            env={**os.environ, "DATA": str(data), "HIERARCHIES": " ".join(relative)},
            preexec_fn=self._enter,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ready = data.with_name(data.name + ".ready")
        deadline = time.monotonic() + 10
        while not ready.exists():
            if self._holder.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the sandbox did not come up")
            time.sleep(0.01)
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text()
        self._init = int(children.split()[0])

    def _enter(self) -> None:
        for _, folder in self._cgroups:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def command(self, *argv: str) -> list[str]:
        """A command line that runs the command inside."""
        return ["nsenter", f"--target={self._init}", "--mount", "--net", "--pid", "--cgroup", "--wdns=/", "--", *argv]

    def popen(self, *argv: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command inside, in the sandbox's cgroups."""
        return subprocess.Popen(
            self.command(*argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            preexec_fn=self._enter,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )

    def run(self, *argv: str, timeout: float = 180, environment: dict[str, str] | None = None) -> tuple[int, str]:
        """Run a command inside to its end: exit code and output."""
        child = self.popen(*argv, environment=environment)
        try:
            output = child.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        return child.returncode, output

    def close(self) -> None:
        """End everything inside and remove the cgroups."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._init, signal.SIGKILL)
        self._holder.wait(10)
        deadline = time.monotonic() + 10
        for _, folder in self._cgroups:
            for place, _, _ in os.walk(folder, topdown=False):
                while Path(place).exists():
                    try:
                        Path(place).rmdir()
                    except OSError:
                        if time.monotonic() > deadline:
                            raise
                        time.sleep(0.02)
