# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder in which a cluster's state is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ansible.errors import AnsibleFilterError


def state_dir(inventory_sources: Sequence[str], cluster: str) -> str:
    """Give the absolute path of C(.geokube/<cluster>) beside the first inventory source.

    Raises AnsibleFilterError when there is no inventory source or no cluster name.
    """
    if not cluster:
        raise AnsibleFilterError("geokube_cluster is empty: name the cluster in the inventory")
    if not inventory_sources:
        raise AnsibleFilterError("no inventory source is known: give one with -i, or set geokube_state_dir")
    source = Path(inventory_sources[0]).expanduser().absolute()
    folder = source if source.is_dir() else source.parent
    return str(folder / ".geokube" / cluster)


class FilterModule:
    """The filters of this file by their names."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Give the filters of this file."""
        return {"state_dir": state_dir}
