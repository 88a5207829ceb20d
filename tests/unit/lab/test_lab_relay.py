"""The order and the time in which a line lets packets go, and the bytes that say so to the kernel."""

from __future__ import annotations

import struct

import pytest
from geokube_lab import relay
from hypothesis import given
from hypothesis import strategies as st


def test_a_packet_leaves_after_the_delay_and_not_before() -> None:
    line = relay.Line(1, 0.18)
    line.arrive(7, now=100.0)
    assert line.due == pytest.approx(100.18)
    assert line.depart(100.17) is None
    assert line.depart(100.1801) == 7
    assert line.due is None


def test_one_answer_stands_for_all_that_is_due() -> None:
    line = relay.Line(1, 0.1)
    for number in range(5):
        line.arrive(number, now=number / 1000)
    assert line.depart(0.1025) == 2
    assert len(line) == 2


def test_a_shorter_delay_lets_nobody_overtake_and_nobody_wait_longer() -> None:
    line = relay.Line(1, 0.5)
    line.arrive(1, now=0.0)
    line.delay = 0.1
    line.shorten(now=0.1)
    line.arrive(2, now=0.1)
    assert line.due == pytest.approx(0.2)
    assert line.depart(0.2) == 2


def test_a_longer_delay_holds_only_what_comes_after() -> None:
    line = relay.Line(1, 0.1)
    line.arrive(1, now=0.0)
    line.delay = 0.5
    line.shorten(now=0.0)
    line.arrive(2, now=0.01)
    assert line.depart(0.1) == 1
    assert line.depart(0.5) is None
    assert line.depart(0.51) == 2


@given(st.lists(st.tuples(st.floats(0, 1), st.one_of(st.none(), st.floats(0, 2))), min_size=1, max_size=40))
def test_packets_never_overtake_whatever_the_delay_does(events: list[tuple[float, float | None]]) -> None:
    line = relay.Line(1, 1.0)
    now, sent, arrived = 0.0, 0, -1
    for pause, delay in events:
        now += pause
        left = line.depart(now)
        if left is not None:
            assert left > arrived
            arrived = left
        if delay is None:
            line.arrive(sent, now)
            sent += 1
        else:
            line.delay = delay
            line.shorten(now)
            assert line.due is None or line.due <= now + max(delay, 0)
    left = line.depart(now + 10)
    assert (left if left is not None else arrived) == sent - 1


def test_a_verdict_is_a_batch_accept_for_one_queue() -> None:
    data = relay.verdict(9, 77)
    length, kind, flags, _, _ = struct.unpack_from("=IHHII", data)
    assert (length, kind, flags) == (len(data), (3 << 8) | 3, 1)
    assert struct.unpack_from("!BBH", data, 16) == (0, 0, 9)
    assert struct.unpack_from("=HH", data, 20) == (12, 2)
    assert struct.unpack_from("!II", data, 24) == (1, 77)


def test_attributes_are_padded_to_four_bytes() -> None:
    assert relay.attribute(2, b"abcde") == struct.pack("=HH", 9, 2) + b"abcde\0\0\0"
