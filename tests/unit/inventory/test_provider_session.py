# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retries, waits, the deadline and the threads that one provider's requests share."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.collect import collect, hidden
from ansible_collections.meridian.geokube.plugins.plugin_utils.deadline import Deadline, DeadlinePassed
from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import read_settings
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import (
    AttemptFailed,
    Failure,
    ProviderError,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_registry import Provider
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the waits between tries instead of waiting."""
    noted: list[float] = []
    monkeypatch.setattr("time.sleep", noted.append)
    return noted


def session(seconds: float = 60.0, retries: int = 3) -> ProviderSession:
    """Make a session of a made-up provider."""
    return ProviderSession("cloud", Deadline(seconds), request_timeout=10.0, retries=retries)


def failing(*errors: AttemptFailed) -> Callable[[float], str]:
    """Make an attempt that fails with each error in turn and then succeeds."""
    left = list(errors)

    def attempt(timeout: float) -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return attempt


def advise(status: int | None) -> str:
    """Say something."""
    return f"Do something about {status}."


def test_success_is_one_request(waits: list[float]) -> None:
    """Nothing is repeated without need."""
    one = session()
    assert one.call("here", "GET", failing(), advise) == "answer"
    assert (one.requests, waits) == (1, [])


def test_full_jitter(waits: list[float]) -> None:
    """The waits are spread from 0 to a bound that doubles up to its limit."""
    rounds: list[list[float]] = []
    for _round in range(200):
        waits.clear()
        session(seconds=1000, retries=6).call("", "GET", failing(*[AttemptFailed("x", retry=True)] * 6), advise)
        rounds.append(list(waits))
    for number, bound in enumerate((0.5, 1, 2, 4, 8, 8)):
        column = [row[number] for row in rounds]
        assert 0 <= min(column) < 0.15 * bound
        assert 0.85 * bound < max(column) <= bound


def test_bounded(waits: list[float]) -> None:
    """After the last retry the error says how often it was tried, and what to do."""
    one = session(retries=2)
    with pytest.raises(ProviderError) as caught:
        one.call("place", "GET x", failing(*[AttemptFailed("no.", status=503, retry=True)] * 9), advise)
    assert str(caught.value) == "cloud, place: HTTP 503: GET x: no (3 tries). Do something about 503."
    assert one.requests == 3


def test_final(waits: list[float]) -> None:
    """What cannot get better is not repeated."""
    one = session()
    with pytest.raises(ProviderError):
        one.call("", "GET", failing(AttemptFailed("no", status=403)), advise)
    assert (one.requests, waits) == (1, [])


def test_retry_after(waits: list[float]) -> None:
    """The server's wish is kept, and a little more so that not all come back at once."""
    session().call("", "GET", failing(AttemptFailed("x", status=429, retry=True, retry_after=7)), advise)
    assert 7 <= waits[0] <= 7.5


def test_retry_after_the_deadline(waits: list[float]) -> None:
    """A wish beyond the deadline ends it at once."""
    with pytest.raises(ProviderError, match="asked to wait 120 s; the deadline of 60 s leaves no time"):
        session().call("", "GET", failing(AttemptFailed("x", status=429, retry=True, retry_after=120)), advise)
    assert waits == []


def test_attempts_get_what_is_left() -> None:
    """The time for one request is never more than what is left of the whole."""
    seen: list[float] = []
    session(seconds=3).call("", "GET", lambda timeout: seen.append(timeout), advise)
    assert 2.5 < seen[0] <= 3


def test_past_the_deadline() -> None:
    """No request is begun when the time is over."""
    one = session(seconds=0)
    with pytest.raises(DeadlinePassed):
        one.call("", "GET", failing(), advise)
    assert one.requests == 0


def test_map_keeps_order_and_runs_at_once() -> None:
    """Sixteen items are worked on at once: each waits for all the others."""
    numbers = list(range(16))
    together = threading.Barrier(len(numbers), timeout=60)

    def meet(number: int) -> int:
        together.wait()
        return number * 2

    assert session(seconds=120).map(meet, numbers) == [number * 2 for number in numbers]


def test_map_gives_every_failure() -> None:
    """Two regions that fail are both named."""

    def fail(place: str) -> None:
        raise ProviderError([Failure("cloud", place, "no", "")])

    with pytest.raises(ProviderError) as caught:
        session().map(fail, ["b", "a"])
    assert [failure.place for failure in caught.value.failures] == ["a", "b"]


def provider(name: str, list_hosts: Callable[[ProviderSession], list[Any]]) -> Provider:
    """Make a provider around a function."""
    return Provider(name, None, (), lambda: None, list_hosts, lambda: "")


def settings(**options: Any) -> Any:
    """Make settings of two providers."""
    values: dict[str, Any] = {
        "cluster": "k1",
        "cluster_label": "c",
        "role_label": "r",
        "regions": None,
        "providers": {"aws": {}, "gcp": {}},
        "home_region": None,
        "hostname": "name",
        "bastion": None,
        "allow_partial": [],
        "deadline": 2,
        "timeout": 10,
        "retries": 0,
    }
    return read_settings({**values, **options}.__getitem__)


def test_collect_leaves_a_hanging_provider() -> None:
    """The deadline holds when a call never comes back, and says what it waited for."""

    def hang(one: ProviderSession) -> list[Any]:
        return one.call("project p1", "GET machines", lambda timeout: time.sleep(600), advise) or []

    start = time.monotonic()
    slow, quick = collect([provider("aws", hang), provider("gcp", lambda one: [])], settings())
    assert time.monotonic() - start < 60
    assert quick.failures == ()
    told = r"no complete answer within the deadline of 2 s; waiting for project p1: GET machines \(\d+ s\)"
    assert re.fullmatch(told, slow.failures[0].message)


def test_collect_gives_an_answer_of_another_shape_as_a_failure() -> None:
    """An API that answers something else ends the run, it does not vanish with its thread."""

    def confused(one: ProviderSession) -> list[Any]:
        return [dict[str, str]()["name"]]

    answer = collect([provider("aws", confused)], settings(providers={"aws": {}}))[0]
    assert answer.failures[0].message == "the answer is not what the API promises: KeyError: 'name'"
    assert "failed" in answer.summary()


def test_secrets_are_hidden() -> None:
    """No part of a secret is left, when one is in the other either."""
    assert hidden("token-1 and token-12 are wrong", ["token-1", "token-12"]) == "******** and ******** are wrong"
