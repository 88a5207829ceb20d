# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which links are measured, and what becomes of the measurements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.model import PlanError
from ansible_collections.meridian.geokube.plugins.plugin_utils.survey.links import SurveyError, merge, pending
from ansible_collections.meridian.geokube.plugins.plugin_utils.survey.plan_inputs import links_of, machines_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FACTS = {
    name: {"geokube_public_ip": address, "geokube_region": name[:2], "geokube_roles": ["worker"]}
    for name, address in (("au-01", "198.51.100.10"), ("ru-01", "192.0.2.10"), ("sg-01", "192.0.2.138"))
}


def probe(source: str, facts: dict[str, dict[str, Any]] = FACTS, rtt: float = 100.0) -> dict[str, Any]:
    """Give what wan_probe returns on one machine."""
    return {
        "clock_error_ms": 2.5,
        "links": [
            {
                "from": source,
                "to": target,
                "address": facts[target]["geokube_public_ip"],
                "rtt_ms": {"min": rtt, "median": rtt, "p95": rtt, "max": rtt},
                "loss": 0.0,
                "samples": 20,
                "path_mtu": 1500,
            }
            for target in facts
            if target != source
        ],
    }


@pytest.fixture
def survey() -> dict[str, Any]:
    """A whole survey of three machines."""
    return merge(FACTS, None, {name: probe(name) for name in FACTS}, NOW)


def names(targets: dict[str, list[dict[str, str]]]) -> dict[str, list[str]]:
    """Give the names of the targets by machine, of those that have any."""
    return {source: [one["name"] for one in found] for source, found in targets.items() if found}


def test_without_a_survey_every_ordered_pair_is_measured() -> None:
    assert names(pending(FACTS, None, NOW, 0)) == {
        "au-01": ["ru-01", "sg-01"],
        "ru-01": ["au-01", "sg-01"],
        "sg-01": ["au-01", "ru-01"],
    }


def test_with_a_survey_nothing_is_measured_again(survey: dict[str, Any]) -> None:
    assert names(pending(FACTS, survey, NOW + timedelta(days=999), 0)) == {}
    assert merge(FACTS, survey, {}, NOW + timedelta(days=999)) == survey


def test_an_old_survey_is_measured_again_when_an_age_is_set(survey: dict[str, Any]) -> None:
    assert names(pending(FACTS, survey, NOW + timedelta(seconds=60), 60)) == {}
    assert len(names(pending(FACTS, survey, NOW + timedelta(seconds=61), 60))) == 3


def test_a_new_machine_costs_its_own_links_only(survey: dict[str, Any]) -> None:
    facts = {**FACTS, "br-01": {"geokube_public_ip": "198.51.100.138", "geokube_region": "br"}}
    assert names(pending(facts, survey, NOW, 0)) == {
        "au-01": ["br-01"],
        "ru-01": ["br-01"],
        "sg-01": ["br-01"],
        "br-01": ["au-01", "ru-01", "sg-01"],
    }


def test_a_machine_that_moved_is_measured_again(survey: dict[str, Any]) -> None:
    facts = {**FACTS, "ru-01": {**FACTS["ru-01"], "geokube_public_ip": "192.0.2.11"}}
    assert names(pending(facts, survey, NOW, 0)) == {"au-01": ["ru-01"], "sg-01": ["ru-01"]}


def test_a_machine_that_is_gone_leaves_the_survey(survey: dict[str, Any]) -> None:
    facts = {name: FACTS[name] for name in ("au-01", "sg-01")}
    left = merge(facts, survey, {}, NOW)
    assert [(link["from"], link["to"]) for link in left["links"]] == [("au-01", "sg-01"), ("sg-01", "au-01")]
    assert set(left["hosts"]) == set(facts)


def test_a_missing_link_is_named() -> None:
    with pytest.raises(SurveyError, match=r"2 of 6 links were not measured: sg-01 -> au-01, sg-01 -> ru-01"):
        merge(FACTS, None, {name: probe(name) for name in ("au-01", "ru-01")}, NOW)


@pytest.mark.parametrize(
    "damaged",
    [{"version": 2}, {"version": 1}, {"version": 1, "links": [{"from": "au-01"}]}, {"version": 1, "links": None}],
)
def test_a_damaged_survey_says_what_to_do(damaged: dict[str, Any]) -> None:
    with pytest.raises(SurveyError, match="survey_refresh=true"):
        pending(FACTS, damaged, NOW, 0)


def test_the_plan_reads_medians_and_labels(survey: dict[str, Any]) -> None:
    assert {link.rtt for link in links_of(survey)} == {100.0}
    machine = machines_of(FACTS, survey, {"au-01": "10.255.0.1"})[0]
    assert (machine.region, machine.roles, machine.mesh_address, machine.clock_error) == (
        "au",
        ("worker",),
        "10.255.0.1",
        2.5,
    )
    with pytest.raises(PlanError, match="geokube_roles of au-01"):
        machines_of({"au-01": {"geokube_roles": "worker"}}, survey, {})
