# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build hook: writes the network and the style thumbnails before they are packed into the wheel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ModelBuildHook(BuildHookInterface[Any]):
    """Runs ``model_build`` for wheels and editable installs; a source distribution carries no built files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        sys.path.insert(0, self.root)
        try:
            from model_build.assets import build_assets
        finally:
            sys.path.remove(self.root)
        build_assets(Path(self.root) / "src" / "style_transfer" / "assets")
