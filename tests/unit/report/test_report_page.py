# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a browser gets it: whole, self-contained, escaped, readable, the same for the same state."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.model import Link, Machine, Wishes
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.plan_file import to_json
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.planner import plan
from ansible_collections.meridian.geokube.plugins.plugin_utils.report.colours import contrast, luminance, shade, text_on
from ansible_collections.meridian.geokube.plugins.plugin_utils.report.matrix import matrix
from ansible_collections.meridian.geokube.plugins.plugin_utils.report.view import view
from ansible_collections.meridian.geokube.plugins.plugin_utils.report.wording import (
    duration,
    milliseconds,
    moment,
    setting,
)
from hypothesis import given
from hypothesis import strategies as st

TEMPLATES = Path(__file__).parents[3] / "roles" / "report" / "templates"
TALK = {
    ("ru", "au"): 360,
    ("ru", "sg"): 195,
    ("ru", "br"): 260,
    ("au", "sg"): 150,
    ("sg", "br"): 320,
    ("au", "br"): 305,
}
VOID = {"meta", "link", "br", "wbr", "col"}


def make_survey(machines: list[Machine], links: list[Link]) -> dict[str, Any]:
    """Give a survey of some links."""
    return {
        "version": 1,
        "measured_at": "2026-11-25T12:03:00+00:00",
        "hosts": {one.name: {"region": one.region} for one in machines},
        "links": [
            {
                "from": link.source,
                "to": link.target,
                "rtt_ms": {"min": link.rtt - 1, "median": link.rtt, "p95": link.rtt + 4, "max": link.rtt + 9},
                "loss": link.loss,
                "path_mtu": link.path_mtu,
            }
            for link in links
        ],
    }


def state(prefix: str = "") -> dict[str, dict[str, Any]]:
    """Give survey and plan of the talk's regions, their names with a prefix."""
    machines = [Machine(f"{prefix}{region}-01", f"{prefix}{region}") for region in ("ru", "sg", "au", "br")]
    links = [
        Link(f"{prefix}{one}-01", f"{prefix}{other}-01", float(rtt), 0.05 if "br" in (one, other) else 0.0)
        for pair, rtt in TALK.items()
        for one, other in (pair, pair[::-1])
    ]
    return {"survey": make_survey(machines, links), "plan": to_json(plan(machines, links, Wishes("devfest")))}


def stage(name: str, role: str, seconds: float) -> dict[str, Any]:
    """Give a stage as the callback remembers it."""
    record = {"start": "2026-11-25T12:00:00+00:00", "seconds": seconds, "changed": 3, "failed": 0, "unreachable": 0}
    return {"name": name, "roles": [f"meridian.geokube.{role}"], "work": record, "last": {**record, "seconds": 0.5}}


def render(**files: Any) -> str:
    """Give the page as the role's template module makes it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("report.html.j2").render(report=view(**files))


class Page(HTMLParser):
    """Checks that elements close in order, and collects texts, ids and references."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        found = dict(attrs)
        self.ids += [str(found["id"])] if "id" in found else []
        self.references += [str(found[name]) for name in ("src", "href", "srcset", "action") if name in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect a text."""
        self.words += data


def test_the_page_shows_what_was_measured_computed_and_built() -> None:
    stages = {"version": 1, "stages": [stage("Join the machines", "mesh", 8.3), stage("Report", "report", 1.0)]}
    traffic = {
        "driver": "cloudflare",
        "hostname": "style.example",
        "users": {"au": {"regions": ["au", "ru", "sg", "br"]}},
    }
    page = Page(
        render(**state(), stages=stages, traffic=traffic, sources={"stand_ins": [{"name": "K", "used": "a tree"}]})
    )
    for text in ("devfest", "360", "etcd_heartbeat_interval", "835ms", "Join the machines", "8.3 s",
                 "a tree", "style.example", "differs from the plan's: au, sg, br, ru", "5% lost"):  # fmt: skip
        assert text in page.words, text
    assert "Report 2" not in page.words
    assert len(page.ids) == len(set(page.ids))


def test_survey_and_plan_are_enough() -> None:
    page = Page(render(**state()))
    assert "Stages" not in page.words
    assert "Stand-ins" not in page.words
    assert "None: everything is the real one" in Page(render(**state(), sources={"stand_ins": []})).words


def test_nothing_is_fetched_from_anywhere() -> None:
    text = render(**state())
    assert Page(text).references == ["data:,"]
    assert not re.search(r"url\(|@import|<script|https?://", text)


def test_hostile_names_are_only_text() -> None:
    text = render(**state("<script>alert(1)</script>\"'&"))
    assert "<script>" not in text
    assert "<script>alert(1)</script>" in Page(text).words


def test_the_same_state_gives_the_same_page_whatever_the_last_run_took() -> None:
    stages = {"version": 1, "stages": [stage("Join the machines", "mesh", 8.3)]}
    first = render(**state(), stages=stages)
    stages["stages"][0]["last"]["seconds"] = 77.0  # type: ignore[index]
    stages["stages"].append(stage("Report", "report", 3.0))  # type: ignore[attr-defined]
    assert render(**state(), stages=stages) == first


def test_many_machines_are_shown_by_region() -> None:
    machines = [Machine(f"{region}-{number:02}", region) for region in ("au", "sg") for number in range(7)]
    links = [
        Link(one.name, other.name, 1.0 if one.region == other.region else 150.0)
        for one in machines
        for other in machines
        if one != other
    ]
    shown = matrix(make_survey(machines, links))
    assert (shown["kind"], [one["name"] for one in shown["names"]]) == ("region", ["au", "sg"])
    assert shown["rows"][0][0] is None
    assert shown["rows"][0][1]["text"] == "150"


def test_farther_is_darker() -> None:
    shades = [luminance(shade(step / 50)) for step in range(51)]
    assert shades == sorted(shades, reverse=True)


@given(st.floats(-1, 2))
def test_every_cell_can_be_read(share: float) -> None:
    background = shade(share)
    assert contrast(background, text_on(background)) >= 4.5


@pytest.mark.parametrize(
    ("got", "text"),
    [
        (milliseconds(360.4), "360"),
        (milliseconds(0.41), "0.4"),
        (milliseconds(0), "0"),
        (duration(4.94), "4.9 s"),
        (duration(80), "1 min 20 s"),
        (duration(7400), "2 h 3 min"),
        (moment("2026-11-05T09:03:00+00:00"), "5 November 2026, 09:03 UTC"),
        (moment("soon"), "soon"),
        (setting(150.0, "ms"), "150 ms"),
        (setting("20s", "duration"), "20s"),
        (setting("sg", ""), "sg"),
    ],
)
def test_numbers_read_well(got: str, text: str) -> None:
    assert got == text
