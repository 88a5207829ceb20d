# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a machine from which its Traefik reads keys and certificates."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .node_files import write_whole

SECRET = "a private key"


class Folder:
    """A folder and what was done to it; in check mode nothing is written.

    C(before) and C(after) tell in words what differed; a secret is never among them.
    """

    def __init__(self, path: Path, check_mode: bool) -> None:
        self.path, self.check_mode = path, check_mode
        self.before: list[str] = []
        self.after: list[str] = []

    @property
    def changed(self) -> bool:
        """Whether something was done, or would be."""
        return bool(self.before or self.after)

    def make(self) -> None:
        """Make the folder, which anybody may list and only root may write to."""
        if self.path.is_dir() and stat.S_IMODE(self.path.stat().st_mode) == 0o755:
            return
        self.after.append(f"{self.path}: a folder of mode 0755")
        if not self.check_mode:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o755)

    def text(self, name: str) -> str:
        """What a file holds; nothing when it is not there."""
        path = self.path / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def hold(self, name: str, text: str) -> None:
        """Have a file of this text, or none when the text is empty."""
        self._hold(name, text, 0o644, os.geteuid(), shown=True)

    def hold_secret(self, name: str, text: str, owner: int) -> None:
        """Have a file of this text that only the user of this number reads."""
        self._hold(name, text, 0o600, owner, shown=False)

    def _hold(self, name: str, text: str, mode: int, owner: int, shown: bool) -> None:
        path = self.path / name
        old = self.text(name)
        if old == text and (not text or _is(path, mode, owner)):
            return
        for told, content in ((self.before, old), (self.after, text)):
            if content:
                told.append(f"{path}:\n{content.rstrip()}" if shown else f"{path}: {SECRET}")
        if old == text:
            self.before.append(f"{path}: owner or mode too open")
        if self.check_mode:
            return
        if text:
            write_whole(path, text, mode, owner=owner)
        else:
            path.unlink()


def _is(path: Path, mode: int, owner: int) -> bool:
    found = path.stat()
    return stat.S_IMODE(found.st_mode) == mode and found.st_uid == owner
