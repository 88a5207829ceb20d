# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a folder's certificates are what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ansible_collections.meridian.geokube.plugins.plugin_utils.certificates import certificates_are_current


def certificates_current(
    directory: str, wanted: Mapping[str, str], server: str, server_names: Sequence[str], renew_days: float
) -> bool:
    """Whether the folder's certificates can stay as they are."""
    return certificates_are_current(
        Path(directory), {str(key): str(value) for key, value in wanted.items()}, server, list(server_names), renew_days
    )


class FilterModule:
    """The filters of this file by their names."""

    def filters(self) -> dict[str, Callable[..., bool]]:
        """Give the filters of this file."""
        return {"certificates_current": certificates_current}
