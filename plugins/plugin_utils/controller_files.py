# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are kept on the controller, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WantedFile:
    """A file that is to have this content and mode; the content of a secret one is never shown."""

    path: Path
    content: str
    mode: int = 0o600
    secret: bool = False

    def before(self) -> str | None:
        """Give the content that is there, None when there is no file."""
        return self.path.read_text(encoding="utf-8", errors="replace") if self.path.is_file() else None

    def differs(self) -> bool:
        """Say whether the file is not as wanted."""
        return self.before() != self.content or self.path.stat().st_mode & 0o7777 != self.mode

    def write(self) -> None:
        """Write the file beside its place and put it there. Raises OSError when that cannot be done."""
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(self.content)
            stream.flush()
            os.fsync(stream.fileno())
        new.chmod(self.mode)
        new.replace(self.path)

    def diff(self) -> dict[str, str]:
        """Give the difference as Ansible shows it."""
        name = str(self.path)
        if self.secret:
            return {"before_header": name, "after_header": name, "before": "(hidden)\n", "after": "(hidden, changed)\n"}
        return {"before_header": name, "after_header": name, "before": self.before() or "", "after": self.content}


def make_directories(paths: Sequence[Path], mode: int, check: bool) -> list[str]:
    """Make the directories that are missing, or only say which, when `check` is true."""
    missing = [path for path in paths if not path.is_dir()]
    for path in missing if not check else []:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        path.chmod(mode)
    return [str(path) for path in missing]
