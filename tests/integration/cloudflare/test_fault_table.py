# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault table: each error of the API, each module, each state and check mode, with the exact message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from cloudflare_harness import CACHE_RULES, GROUP, Edge, run_module
from fault_cases import CERTIFICATES, INFO, LASTING, PASSING, PULLS, REFUSALS, Case, cases, scope

CASES = cases()
WRITES = "POST|PUT|PATCH|DELETE"
STATES = [(case, state) for case in CASES for state in ("present", "absent")]
NAMES = [f"{case.module.removeprefix('cloudflare_')}-{state}" for case, state in STATES]


@pytest.fixture(autouse=True)
def clean(edge: Edge) -> Iterator[None]:
    """No certificates, client certificates and cache rules are left."""
    yield
    edge.clear()
    for record in edge.api("GET", CERTIFICATES):
        edge.api("DELETE", f"/certificates/{record['id']}")
    edge.api("PUT", f"{PULLS}/settings", {"enabled": False})
    for record in edge.api("GET", PULLS):
        edge.api("DELETE", f"{PULLS}/{record['id']}")
    edge.api("PUT", CACHE_RULES, {"rules": []})


class Hurried:
    """Makes clients that write down how long they would sleep, and give up on an answer soon."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []

    def __call__(self, *arguments: Any, **options: Any) -> Client:
        return Client(*arguments, **{**options, "timeout": 0.5, "sleep": self.sleeps.append})


def refused(edge: Edge, case: Case, state: str, check: bool, method: str, exempt: set[str]) -> list[str]:
    """Meet every refusal at the first request of these methods; give what was not told as it should be."""
    wrong = []
    for name, (fault, hint) in REFUSALS.items():
        if name in exempt:
            continue
        edge.clear()
        edge.fault(method=method, **fault)
        result = run_module(edge, case.module, case.params(state), check)
        asked = edge.requests()[-1]
        path = asked.split("?")[0]
        told = f"{fault.get('message', 'injected fault')} (code {fault.get('code', 10000)})"
        wanted = f"{path}: HTTP {fault['status']}: {told}. {hint.format(scope=scope(asked))}"
        if (result.get("msg"), result.get("status"), result["failed"]) != (wanted, fault["status"], True):
            wrong.append(f"{name}: {result.get('msg')!r}, not {wanted!r}")
        if not re.fullmatch(method, asked.split()[0]):
            wrong.append(f"{name}: failed at {asked}")
    return wrong


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
@pytest.mark.parametrize(("case", "state"), STATES, ids=NAMES)
def test_a_refused_look_fails_with_what_to_do(edge: Edge, case: Case, state: str, check: bool) -> None:
    case.prepare(edge, state)
    # A zone that never had cache rules has no entry point.
    exempt = {"404"} if case.module == "cloudflare_cache_ruleset" else set()
    assert refused(edge, case, state, check, "GET", exempt) == []


@pytest.mark.parametrize(("case", "state"), STATES, ids=NAMES)
def test_a_refused_change_fails_with_what_to_do(edge: Edge, case: Case, state: str) -> None:
    case.prepare(edge, state)
    # What is gone is gone.
    exempt = {"404"} if state == "absent" else set()
    assert refused(edge, case, state, False, WRITES, exempt) == []
    # A refusal changed nothing, and without it the change is made.
    edge.clear()
    assert run_module(edge, case.module, case.params(state))["changed"]
    assert not run_module(edge, case.module, case.params(state))["changed"]


def test_a_refused_look_of_the_info_module(edge: Edge) -> None:
    INFO.prepare(edge, "present")
    assert refused(edge, INFO, "present", False, "GET", set()) == []


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
@pytest.mark.parametrize(("case", "state"), [*STATES, (INFO, "present")], ids=[*NAMES, "info"])
def test_a_lasting_fault_is_told(edge: Edge, case: Case, state: str, check: bool) -> None:
    case.prepare(edge, state)
    for name, (fault, text, hint) in LASTING.items():
        edge.clear()
        edge.fault(method="GET", times=99, **fault)
        result = run_module(edge, case.module, case.params(state), check, client=Hurried())
        asked = edge.requests()[-1].split("?")[0]
        assert result["failed"], name
        assert re.fullmatch(f"{re.escape(asked)}: {text}\\. {re.escape(hint)}", result["msg"], re.DOTALL), result["msg"]
        assert len(edge.requests()) >= 4


@pytest.mark.parametrize("fault", [*PASSING])
@pytest.mark.parametrize(("case", "state"), STATES, ids=NAMES)
def test_a_passing_fault_is_outlived(edge: Edge, case: Case, state: str, fault: str) -> None:
    """At the first look and at the first change that may be repeated."""
    case.prepare(edge, state)
    for method in ("GET", "PUT|PATCH|DELETE"):
        edge.fault(method=method, **PASSING[fault])
    result = run_module(edge, case.module, case.params(state), client=Hurried())
    assert not result["failed"], result["msg"]
    assert result["changed"]
    edge.clear()
    assert not run_module(edge, case.module, case.params(state))["changed"]


@pytest.mark.parametrize(("case", "state"), [*STATES, (INFO, "present")], ids=[*NAMES, "info"])
def test_the_rate_limit_is_waited_for_as_told(edge: Edge, case: Case, state: str) -> None:
    case.prepare(edge, state)
    methods = ["GET"] if case is INFO else ["GET", WRITES]
    for seconds, method in enumerate(methods, 7):
        edge.fault(method=method, status=429, code=10100, headers={"Retry-After": str(seconds)})
    client = Hurried()
    result = run_module(edge, case.module, case.params(state), client=client)
    assert not result["failed"], result["msg"]
    assert [pause for pause in client.sleeps if pause >= 7] == [7.0, 8.0][: len(methods)]
    for seconds, _ in enumerate(methods, 7):
        assert f"rate limit of Cloudflare's API reached: waiting {seconds} s as told" in json.dumps(result["warnings"])
    if case is not INFO:
        assert result["rate_limit_waited"] == 15.0


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
@pytest.mark.parametrize(("case", "state"), [*STATES, (INFO, "present")], ids=[*NAMES, "info"])
def test_a_rate_limit_beyond_the_budget_is_told(edge: Edge, case: Case, state: str, check: bool) -> None:
    case.prepare(edge, state)
    edge.fault(status=429, code=971, headers={"Retry-After": "300"}, times=9)
    client = Hurried()
    result = run_module(edge, case.module, dict(case.params(state), rate_limit_wait=299), check, client=client)
    asked = edge.requests()[-1].split("?")[0]
    assert result["msg"] == (
        f"{asked}: rate limit reached; Cloudflare asks to wait 300 s more and 0 s of rate_limit_wait (299 s) are used: "
        "run again later, or raise rate_limit_wait"
    )
    assert client.sleeps == []


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
@pytest.mark.parametrize("action", ["status", "hang", "reset", "torn", "garbled"])
@pytest.mark.parametrize("case", [case for case in CASES if case.posts], ids=lambda case: case.module)
def test_an_ambiguous_post_never_makes_twins(edge: Edge, case: Case, action: str, committed: bool) -> None:
    """The list is read again before anything is posted again."""
    case.prepare(edge, "present")
    edge.fault(method="POST", action=action, status=502, committed=committed, seconds=30)
    result = run_module(edge, case.module, case.present, client=Hurried())
    after = [one.split("?")[0] for one in edge.requests()]
    post = next(number for number, one in enumerate(after) if one.startswith("POST"))
    assert after[post + 1] == after[post].replace("POST", "GET")
    # A torn or garbled answer comes after the fact.
    there = committed or action in ("torn", "garbled")
    certificate = case.module in ("cloudflare_origin_certificate", "cloudflare_authenticated_origin_pulls")
    if certificate and not there:
        assert result["failed"]
        assert "POST" in result["msg"]
    else:
        assert not result["failed"], result["msg"]
    edge.clear()
    assert run_module(edge, case.module, case.present)["changed"] is result["failed"]
    assert len(edge.api("GET", case.listed)) == 1


def test_every_module_is_in_the_table() -> None:
    assert {case.module for case in [*CASES, INFO]} == set(GROUP)
