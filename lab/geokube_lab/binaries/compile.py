"""Compile the targets once; what was compiled is found by the digest of all that decided it."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from geokube_lab.binaries.environment import environment
from geokube_lab.binaries.targets import Target
from geokube_lab.errors import LabError
from geokube_lab.paths import cache

Report = Callable[[str], None]
MINIMUM_GO = (1, 25)


def artifact_directory(target: Target) -> Path:
    """Where a target's program, its gzip and their `sha256sums` are once it is compiled."""
    return cache() / "binaries" / f"{target.name}-{target.digest()[:16]}"


def program(target: Target) -> Path:
    """The compiled program; LabError when it is not compiled yet."""
    path = artifact_directory(target) / target.name
    if not path.exists():
        raise LabError(f"{target.name} {target.version} is not compiled: run 'python -m geokube_lab.binaries build'")
    return path


def check_compiler() -> None:
    """LabError unless a go command of a recent enough release is on the path."""
    go = shutil.which("go")
    if go is None:
        raise LabError(
            "no go command found: install Go 1.25 or newer, which compiles Kubernetes for the lab's machines"
        )
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < MINIMUM_GO:
        wanted = ".".join(str(number) for number in MINIMUM_GO)
        raise LabError(f"{go} is {said.strip() or 'of an unknown version'}: Kubernetes needs Go {wanted} or newer")


def build(target: Target, report: Report) -> Path:
    """The artifact directory of a target, compiled now if it never was; LabError with the compiler's words if not."""
    directory = artifact_directory(target)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if directory.exists():
            report(f"{target.name} {target.version}: compiled before")
            return directory
        check_compiler()
        with _scratch(directory.parent, f".build-{target.name}-") as scratch:
            result = scratch / "result"
            result.mkdir()
            _compile(target, scratch, result / target.name, report)
            _finish(result, target.name)
            result.replace(directory)
    return directory


@contextmanager
def _scratch(parent: Path, prefix: str) -> Iterator[Path]:
    for left in parent.glob(f"{prefix}*"):
        # Of a run that was killed: the lock says that no other is at work.
        shutil.rmtree(left, ignore_errors=True)
    name = tempfile.mkdtemp(dir=parent, prefix=prefix)
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)


def _finish(directory: Path, name: str) -> None:
    """Make the gzip and the checksums beside a program."""
    plain, packed = directory / name, directory / f"{name}.gz"
    with plain.open("rb") as source, packed.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    lines = []
    for path in (plain, packed):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    (directory / "sha256sums").write_text("".join(lines))


def _compile(target: Target, scratch: Path, output: Path, report: Report) -> None:
    module = target.module
    if target.prepare is not None:
        module = scratch / "module"
        shutil.copytree(target.module, module)
        target.prepare(module)
    started = time.monotonic()
    report(f"{target.name} {target.version}: fetching modules")
    total = _package_count(target, module)
    command = ["go", "build", "-v", *target.flags, "-o", str(output), target.package]
    tail: list[str] = []
    shown = 0.0
    with subprocess.Popen(command, cwd=module, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        compiled = 0
        for line in process.stderr:
            word = line.rstrip()
            # -v prints a package's path alone on a line, and nothing else does.
            if re.fullmatch(r"[\w./~+-]+", word):
                compiled += 1
            else:
                tail = [*tail, word][-30:]
            now = time.monotonic()
            if now - shown >= 2:
                shown = now
                report(
                    f"{target.name} {target.version}: {_clock(now - started)}, {compiled} of {total} packages ({word})"
                )
    if process.returncode != 0:
        raise LabError(
            f"{target.name} {target.version} does not compile (go ended with {process.returncode}):\n" + "\n".join(tail)
        )
    report(f"{target.name} {target.version}: compiled in {_clock(time.monotonic() - started)}")


def _package_count(target: Target, module: Path) -> int:
    """How many packages a first build compiles; fetches the modules that are not here yet."""
    command = ["go", "list", "-deps", "-f", "{{.ImportPath}}", target.package]
    done = subprocess.run(command, cwd=module, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = [line for line in done.stderr.splitlines() if not line.startswith("go: downloading")]
        raise LabError(
            f"the modules of {target.name} {target.version} cannot be had:\n"
            + "\n".join(words[-15:])
            + "\nCheck that the Go module proxy (go env GOPROXY) answers and try again."
        )
    return len(done.stdout.splitlines())


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
