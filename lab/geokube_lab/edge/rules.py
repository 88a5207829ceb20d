# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of a load balancer make of it for one request."""

from __future__ import annotations

from collections.abc import Callable

from geokube_lab.edge import expressions
from geokube_lab.edge.errors import ApiError, invalid
from geokube_lab.edge.store import Record


def verify(rules: list[Record]) -> None:
    """Check conditions, and mark as the last one what answers by itself. Raises ApiError 1002 that names the rule."""
    for rule in rules:
        if rule["condition"]:
            try:
                expressions.parse(rule["condition"], expressions.BALANCER_FIELDS)
            except ApiError as error:
                raise invalid(f"load_balancer.rules[{rule['name']}].condition", error.message) from error
        if rule.get("fixed_response"):
            rule["terminates"] = True


def in_order(rules: list[Record]) -> list[Record]:
    """The rules that are on, the lowest priority first; without priorities as they are listed."""
    return sorted((rule for rule in rules if not rule.get("disabled")), key=lambda rule: int(rule.get("priority", 0)))


def applied(balancer: Record, fits: Callable[[str], bool]) -> tuple[Record, Record | None]:
    """The balancer with the overrides of all rules whose condition fits, and the fixed response if one answers.

    An empty condition always fits. A rule that terminates, or that has a fixed response, is the last one.
    """
    seen = dict(balancer)
    for rule in in_order(balancer.get("rules") or []):
        if rule.get("condition") and not fits(rule["condition"]):
            continue
        if rule.get("fixed_response"):
            return seen, rule["fixed_response"]
        seen.update({name: value for name, value in (rule.get("overrides") or {}).items() if value not in (None, "")})
        if rule.get("terminates"):
            break
    return seen, None
