# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions, rules of load balancers and session affinity of the lab's edge."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lab"))

from geokube_lab.edge import rules
from geokube_lab.edge.affinity import COOKIE, Affinity
from geokube_lab.edge.errors import ApiError
from geokube_lab.edge.expressions import BALANCER_FIELDS, matches, parse

POOL, ORIGINS = {"id": "p"}, [{"name": "a"}, {"name": "b"}]
FOUND: list[Any] = [(POOL, origin) for origin in ORIGINS]


def request(**changes: Any) -> Any:
    known = {
        "path": "/results/a.jpg",
        "raw_path": "/results/a.jpg?x=1",
        "query_string": "x=1",
        "host": "style.geokube.test",
        "method": "GET",
        "headers": {"User-Agent": "tester", "Cookie": "kind=new"},
        "remote": "192.0.2.1",
        "cookies": {},
    }
    return SimpleNamespace(**{**known, **changes})


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ('starts_with(http.request.uri.path, "/results/")', True),
        ('http.host eq "style.geokube.test" and http.request.method eq "GET"', True),
        ('http.host eq "other" or ends_with(http.request.uri.path, ".jpg")', True),
        ('http.request.uri.path.extension in {"png" "jpg"}', True),
        ("http.request.uri.path.extension in {}", False),
        ('not starts_with(http.request.uri.path, "/results/")', False),
        ('not (http.host eq "other") and http.cookie contains "kind=new"', True),
        ('(http.host eq "other" or ip.src == "192.0.2.1") && http.request.uri.query ne "y=1"', True),
        ('http.host eq "other" or ip.src eq "192.0.2.1" and http.user_agent ~ "^x"', False),
        ('http.request.uri contains " and "', False),
        ('http.host ne "style.geokube.test"', False),
        ("true", True),
        ("not true", False),
    ],
)
def test_expressions(expression: str, fits: bool) -> None:
    parse(expression)
    assert matches(expression, request()) is fits


def test_fields_of_a_balancer_belong_to_its_rules_only() -> None:
    expression = 'cf.load_balancer.region in {"OC" "SEAS"}'
    parse(expression, BALANCER_FIELDS)
    known = dict.fromkeys(BALANCER_FIELDS, "OC")
    assert matches(expression, request(), known)
    with pytest.raises(ApiError, match=r"unknown field 'cf\.load_balancer\.region'"):
        parse(expression)


@pytest.mark.parametrize(
    "expression",
    ["", "nonsense", 'ip.geoip.country eq "AU"', 'starts_with(http.host, "a"', 'http.host eq "a" "b"', "http.host eq",
     '(http.host eq "a"', 'http.host matches "("', 'http.host eq "a" and', 'http.host in {"a"', "http.host ; 1"],
)  # fmt: skip
def test_expressions_that_are_not_understood_are_refused(expression: str) -> None:
    with pytest.raises(ApiError):
        parse(expression)


BALANCER: dict[str, Any] = {"id": "b", "steering_policy": "off", "default_pools": ["x"], "session_affinity": "none"}


def seen(given: list[dict[str, Any]], *fitting: str) -> tuple[dict[str, Any], Any]:
    return rules.applied({**BALANCER, "rules": given}, lambda condition: condition in fitting)


def test_overrides_of_the_rules_that_fit_are_applied_in_order_of_priority() -> None:
    given = [
        {"name": "late", "condition": "yes", "priority": 5, "overrides": {"default_pools": ["late"]}},
        {"name": "early", "condition": "", "priority": 1,
         "overrides": {"default_pools": ["early"], "steering_policy": "random", "fallback_pool": ""}},
        {"name": "off", "condition": "yes", "priority": 9, "disabled": True, "overrides": {"default_pools": ["off"]}},
        {"name": "other", "condition": "no", "priority": 9, "overrides": {"default_pools": ["other"]}},
    ]  # fmt: skip
    balancer, fixed = seen(given, "yes")
    assert fixed is None
    assert (balancer["default_pools"], balancer["steering_policy"]) == (["late"], "random")
    assert "fallback_pool" not in balancer
    given[1]["terminates"] = True
    assert seen(given, "yes")[0]["default_pools"] == ["early"]
    assert BALANCER["default_pools"] == ["x"]


def test_a_fixed_response_answers_and_ends_the_evaluation() -> None:
    answer = {"status_code": 503, "message_body": "closed"}
    given = [{"name": "closed", "condition": "yes", "fixed_response": answer},
             {"name": "after", "condition": "yes", "overrides": {"default_pools": ["after"]}}]  # fmt: skip
    assert seen(given, "yes") == ({**BALANCER, "rules": given}, answer)
    assert seen(given)[1] is None


def visit(mode: str, cookie: str = "", always_https: bool = False) -> tuple[Affinity, list[Any], str]:
    """Affinity after it chose, its choice, and the cookie that it sets when b answers."""
    balancer = {
        **BALANCER,
        "session_affinity": "cookie",
        "session_affinity_attributes": {"zero_downtime_failover": mode},
    }
    affinity = Affinity(balancer, always_https)
    user = request(cookies={COOKIE: cookie} if cookie else {})
    found = affinity.prefer(user, FOUND)
    headers: CIMultiDict[str] = CIMultiDict()
    affinity.mark(user, headers, *FOUND[1])
    return affinity, [origin["name"] for _, origin in found], headers.get("Set-Cookie", "")


def cookie_of(origin: str) -> str:
    return Affinity({**BALANCER, "session_affinity": "cookie"}, False)._mark_of(POOL, {"name": origin})


@pytest.mark.parametrize(
    ("mode", "order", "renewed"),
    [("none", ["a"], True), ("temporary", ["a", "b"], False), ("sticky", ["a", "b"], True)],
)
def test_a_session_whose_origin_fails(mode: str, order: list[str], renewed: bool) -> None:
    affinity, chosen, cookie = visit(mode, cookie_of("a"))
    assert affinity.pinned
    assert chosen == order
    assert bool(cookie) is renewed


def test_a_session_without_an_origin_that_can_be_used_gets_another() -> None:
    affinity, chosen, cookie = visit("none", "of an origin that is gone")
    assert not affinity.pinned
    assert chosen == ["a", "b"]
    assert cookie_of("b") in cookie


def test_the_cookie_is_as_the_attributes_say() -> None:
    cookie = visit("none")[2].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    cookie = visit("none", always_https=True)[2].lower()
    assert "samesite=none" in cookie
    assert "; secure" in cookie
