# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state folder's JSON files: read whole, written whole or not at all, readable by their owner only."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


class StateError(ValueError):
    """A file of the state folder cannot be used. The text names the file and what to do."""


def read_json(path: Path) -> dict[str, Any] | None:
    """Give the object that a file holds, or None when there is no such file.

    Raises StateError when the file cannot be read or does not hold a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StateError(f"{path} does not hold JSON ({error}): restore it, or remove it to start afresh") from error
    if not isinstance(content, dict):
        raise StateError(f"{path} holds a {type(content).__name__}, not an object: remove it to start afresh")
    return content


def as_text(content: dict[str, Any]) -> str:
    """Give the text of a state file: indented, its keys in the order given, with a final newline."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file by an object, mode 0600, in a folder of mode 0700 that is made when missing.

    Raises StateError when that fails; the earlier file is then still there.
    """
    try:
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(as_text(content))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}") from error


def make_folder(folder: Path) -> None:
    """Make a folder of mode 0700, and those above it, unless it exists; close the folder itself to others."""
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)
    if is_open(folder):
        folder.chmod(0o700)


def is_open(path: Path) -> bool:
    """Tell whether others than the owner have any right to a path that exists."""
    return path.exists() and bool(path.stat().st_mode & 0o077)


def difference(path: Path, before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, str]:
    """Give Ansible's diff of a state file."""
    return {
        "before_header": str(path),
        "after_header": str(path),
        "before": "" if before is None else as_text(before),
        "after": as_text(after),
    }
