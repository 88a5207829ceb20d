"""What fping says, and when a link is refused."""

from __future__ import annotations

from geokube_lab import measure


def test_fpings_lines_are_read_with_and_without_decimals() -> None:
    output = "192.0.2.138   : 197 195.5 -\n198.51.100.10 : - - -\nICMP Host Unreachable from 192.0.2.1\n"
    assert measure.parse(output) == {"192.0.2.138": [197.0, 195.5], "198.51.100.10": []}


def test_three_percent_is_the_limit() -> None:
    expected = {("a", "b"): 100.0}
    assert measure.deviations(expected, {("a", "b"): 103.0}) == {}
    assert measure.deviations(expected, {("a", "b"): 97.0}) == {}
    assert "103.1 measured" in measure.deviations(expected, {("a", "b"): 103.1})["a", "b"]
    assert ("a", "b") in measure.deviations(expected, {("a", "b"): 96.9})


def test_silence_is_an_error_and_a_short_link_has_a_millisecond() -> None:
    assert measure.deviations({("a", "b"): 100.0}, {("a", "b"): None}) == {("a", "b"): "100 ms wanted, no answer"}
    assert measure.deviations({("a", "b"): 2.0}, {("a", "b"): 2.9}) == {}
    assert measure.deviations({("a", "b"): 2.0}, {("a", "b"): 3.1}) != {}
