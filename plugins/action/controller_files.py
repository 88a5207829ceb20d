# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep directories and files on the controller without a process for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.meridian.geokube.plugins.plugin_utils.controller_files import WantedFile, make_directories

_ARGUMENTS = {
    "directories": {"type": "list", "elements": "path", "default": []},
    "directory_mode": {"type": "str", "default": "0700"},
    "absent": {"type": "list", "elements": "path", "default": []},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "mode": {"type": "str", "default": "0600"},
            "secret": {"type": "bool", "default": False},
        },
    },
}


def _mode(text: str) -> int:
    try:
        return int(text, 8)
    except ValueError:
        raise AnsibleActionFail(f"mode: {text!r} is no octal number such as '0600'") from None


class ActionModule(ActionBase):
    """The action behind meridian.geokube.controller_files."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make what is missing, write what differs, remove what should not be there."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        wanted = [
            WantedFile(Path(item["path"]), item["content"], _mode(item["mode"]), item["secret"])
            for item in arguments["files"]
        ]
        try:
            folders = [Path(path) for path in arguments["directories"]]
            changed = make_directories(folders, _mode(arguments["directory_mode"]), self._task.check_mode)
            differing = [file for file in wanted if file.differs()]
            diffs = [file.diff() for file in differing]
            gone = [path for path in map(Path, arguments["absent"]) if path.exists() or path.is_symlink()]
            for file in differing if not self._task.check_mode else []:
                file.write()
            for path in gone if not self._task.check_mode else []:
                path.unlink()
        except OSError as error:
            raise AnsibleActionFail(f"{error.filename}: {error.strerror}") from error
        paths = [*changed, *(str(file.path) for file in differing), *map(str, gone)]
        return {**result, "changed": bool(paths), "paths": paths, "diff": diffs}
