# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the report shows, computed, so that its template only places it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .matrix import matrix
from .plan_view import candidates, takeover, values
from .wording import duration, milliseconds, moment, setting

REPORT_ROLE = "meridian.geokube.report"


def view(
    survey: Mapping[str, Any],
    plan: Mapping[str, Any],
    stages: Mapping[str, Any] | None = None,
    traffic: Mapping[str, Any] | None = None,
    sources: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the report's content from the files of the state folder; only survey and plan are needed.

    The same files give the same content, whenever and from wherever it is asked for.
    """
    return {
        "cluster": plan["cluster"],
        "measured_at": moment(survey["measured_at"]),
        "figures": _figures(survey, plan),
        "warnings": list(plan["warnings"]),
        "matrix": matrix(survey),
        "home": plan["home_region"],
        "home_why": plan["control_plane"]["why"],
        "control_plane": plan["control_plane"],
        "candidates": candidates(plan),
        "spread": _spread(plan),
        "values": values(plan),
        "takeover": takeover(plan, traffic),
        "traffic": traffic,
        "stages": _stages(stages),
        "stand_ins": _stand_ins(sources),
    }


def _figures(survey: Mapping[str, Any], plan: Mapping[str, Any]) -> list[dict[str, str]]:
    far = [link["rtt_ms"]["median"] for link in survey["links"]]
    hosts, regions = len(survey["hosts"]), len(plan["regions"])
    figures = [
        {"figure": f"{hosts}", "label": f"machine{'s' * (hosts != 1)} in {regions} region{'s' * (regions != 1)}"},
        {"figure": plan["home_region"], "label": "home of the control plane"},
    ]
    if far:
        span = f"{milliseconds(min(far))}–{milliseconds(max(far))} ms"
        figures.append({"figure": span, "label": f"round trips on {len(far)} links"})
    write = plan["values"].get("write_latency_p50")
    if write:
        figures.append({"figure": setting(write["value"], write["unit"]), "label": "expected for half of all writes"})
    return figures


def _spread(plan: Mapping[str, Any]) -> dict[str, str] | None:
    spread = plan["control_plane"]["spread"]
    if spread is None:
        return None
    return {
        "regions": ", ".join(spread["regions"]),
        "write": milliseconds(spread["write_latency_ms"]),
        "worst": milliseconds(spread["worst_rtt_ms"]),
        "now": milliseconds(plan["control_plane"]["write_latency_ms"]),
    }


def _stages(stages: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    shown = [one for one in (stages or {}).get("stages", []) if REPORT_ROLE not in one["roles"]]
    longest = max((one["work"]["seconds"] for one in shown), default=0) or 1
    return [
        {
            "name": one["name"],
            "took": duration(one["work"]["seconds"]),
            "width": round(100 * one["work"]["seconds"] / longest, 1),
            "changed": one["work"]["changed"],
            "failed": one["work"]["failed"] + one["work"]["unreachable"],
            "when": moment(one["work"]["start"]),
        }
        for one in shown
    ]


def _stand_ins(sources: Mapping[str, Any] | None) -> list[dict[str, str]] | None:
    if sources is None:
        return None
    return [{"name": str(one["name"]), "used": str(one["used"])} for one in sources.get("stand_ins", [])]
