# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Route53 shall hold for these hosts under this plan, and what of it is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.meridian.geokube.plugins.plugin_utils import traffic_route53
from ansible_collections.meridian.geokube.plugins.plugin_utils.traffic import TrafficError


def route53_records(hosts: Iterable[Mapping[str, Any]], plan: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """Give health checks and records; AnsibleFilterError when hosts and plan do not go together."""
    try:
        return traffic_route53.route53_records(hosts, plan, settings)
    except TrafficError as error:
        raise AnsibleFilterError(str(error)) from error
    except KeyError as error:
        raise AnsibleFilterError(f"a host, the plan or the settings lack {error}") from error


class FilterModule:
    """The filters of this file by their names."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Give the filters of this file."""
        return {"route53_records": route53_records, "route53_stale": traffic_route53.route53_stale}
