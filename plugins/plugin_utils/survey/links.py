# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey: which links are still to be measured, and what the measured ones amount to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ..mesh.endpoints import reached_at

VERSION = 1

Facts = Mapping[str, Mapping[str, Any]]
Survey = Mapping[str, Any]


class SurveyError(ValueError):
    """The survey cannot be used or is not whole. The text names the links and what to do."""


def wanted_links(facts: Facts) -> dict[tuple[str, str], str]:
    """Give every ordered pair of machines with the address at which the second is measured from the first."""
    return {
        (source, target): reached_at(facts[source], facts[target], target)
        for source in facts
        for target in facts
        if source != target
    }


def measured_links(survey: Survey | None) -> dict[tuple[str, str], dict[str, Any]]:
    """Give the links of a survey by their ends. Raises SurveyError for a survey of another form."""
    if survey is None:
        return {}
    if survey.get("version") != VERSION:
        raise SurveyError(f"survey.json has version {survey.get('version')!r}, not {VERSION}: set survey_refresh=true")
    try:
        return {
            (str(link["from"]), str(link["to"])): {
                "from": str(link["from"]),
                "to": str(link["to"]),
                "address": str(link["address"]),
                "rtt_ms": {name: float(link["rtt_ms"][name]) for name in ("min", "median", "p95", "max")},
                "loss": float(link["loss"]),
                "samples": int(link["samples"]),
                "path_mtu": int(link["path_mtu"]),
                "measured_at": datetime.fromisoformat(link["measured_at"]).isoformat(),
            }
            for link in survey["links"]
        }
    except (KeyError, TypeError, ValueError) as error:
        raise SurveyError(f"survey.json is damaged ({error!r}): set survey_refresh=true") from error


def pending(facts: Facts, survey: Survey | None, now: datetime, max_age: int) -> dict[str, list[dict[str, str]]]:
    """Give for each machine the targets (name, address) that it is still to measure.

    A link counts as measured when its address is the same and it is not older than C(max_age) seconds (0: any age).
    """
    known = measured_links(survey)
    targets: dict[str, list[dict[str, str]]] = {name: [] for name in facts}
    for (source, target), address in wanted_links(facts).items():
        link = known.get((source, target))
        if link is None or link["address"] != address or _too_old(link, now, max_age):
            targets[source].append({"name": target, "address": address})
    return targets


def _too_old(link: Mapping[str, Any], now: datetime, max_age: int) -> bool:
    return max_age > 0 and now - datetime.fromisoformat(link["measured_at"]) > timedelta(seconds=max_age)


def merge(
    facts: Facts, survey: Survey | None, probes: Mapping[str, Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    """Give the survey with what was measured now; links of machines that are gone, or at old addresses, are dropped.

    C(probes) are the results of M(meridian.geokube.wan_probe) by machine. Raises SurveyError when a link is missing.
    """
    known = measured_links(survey)
    stamp = now.isoformat(timespec="seconds")
    for probe in probes.values():
        for link in probe.get("links") or []:
            known[str(link["from"]), str(link["to"])] = {**link, "measured_at": stamp}
    wanted = wanted_links(facts)
    missing = [ends for ends, address in wanted.items() if known.get(ends, {}).get("address") != address]
    if missing:
        named = ", ".join(f"{source} -> {target}" for source, target in missing[:6])
        raise SurveyError(
            f"{len(missing)} of {len(wanted)} links were not measured: {named}{', ...' if len(missing) > 6 else ''}; "
            "all machines must be up and in this run (no --limit)"
        )
    return {
        "version": VERSION,
        "measured_at": stamp if probes or survey is None else survey["measured_at"],
        "hosts": {name: _host(name, facts, survey, probes) for name in sorted(facts)},
        "links": [known[ends] for ends in sorted(wanted)],
    }


def _host(name: str, facts: Facts, survey: Survey | None, probes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    earlier = ((survey or {}).get("hosts") or {}).get(name, {})
    clock = probes[name].get("clock_error_ms") if name in probes else earlier.get("clock_error_ms")
    return {
        "region": facts[name].get("geokube_region"),
        "provider": facts[name].get("geokube_provider"),
        "address": facts[name].get("geokube_public_ip") or facts[name].get("ansible_host"),
        "clock_error_ms": clock,
    }
