# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the balancer shall do for these hosts under this plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.meridian.geokube.plugins.plugin_utils import traffic


def traffic_wishes(hosts: Iterable[Mapping[str, Any]], plan: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """Give the options of the balancer's module; AnsibleFilterError when hosts and plan do not go together."""
    try:
        return traffic.traffic_wishes(hosts, plan, settings)
    except traffic.TrafficError as error:
        raise AnsibleFilterError(str(error)) from error
    except KeyError as error:
        raise AnsibleFilterError(f"a host, the plan or the settings lack {error}") from error


class FilterModule:
    """The filters of this file by their names."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Give the filters of this file."""
        return {"traffic_wishes": traffic_wishes}
