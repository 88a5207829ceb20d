# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools and services of the machine that a module runs on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT = 60


class NodeError(Exception):
    """This machine cannot be brought where it should be. The text says what to do."""


def run(argv: Sequence[str], stdin: str | None = None) -> tuple[int, str, str]:
    """Run a tool with an optional standard input; give exit code, output and errors.

    Raises NodeError when it cannot run, or does not end within a minute.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
            env={"LC_ALL": "C", "PATH": PATH},
        )
    except subprocess.TimeoutExpired as error:
        raise NodeError(f"{' '.join(argv[:3])} did not end within {TIMEOUT} s") from error
    except OSError as error:
        raise NodeError(f"{argv[0]} cannot run: {error.strerror}") from error
    return done.returncode, done.stdout, done.stderr


def must(argv: Sequence[str], stdin: str | None = None) -> str:
    """Run a tool and give its output. Raises NodeError with its message when it fails."""
    code, out, err = run(argv, stdin)
    if code != 0:
        raise NodeError(f"{' '.join(argv[:4])} ended with {code}: {(err or out).strip()[-400:] or 'no message'}")
    return out


def has_tool(name: str) -> bool:
    """Tell whether a program is on the path that root has."""
    return any(os.access(Path(folder, name), os.X_OK) for folder in PATH.split(":"))


def service_state(unit: str) -> tuple[bool, bool]:
    """Tell whether a unit is enabled and whether it is active."""
    shown = must(["systemctl", "show", "-p", "UnitFileState", "-p", "ActiveState", unit])
    fields = dict(line.partition("=")[::2] for line in shown.splitlines())
    return fields.get("UnitFileState") == "enabled", fields.get("ActiveState") == "active"
