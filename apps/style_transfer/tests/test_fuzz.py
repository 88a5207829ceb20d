# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fuzzer's seeds and a short, repeatable part of its work; tests/fuzz/run.py goes on where this ends."""

from __future__ import annotations

from random import Random

import pytest
from fuzz.containers import join, split
from fuzz.mutations import kind_of, mutate
from fuzz.seeds import make_seeds
from fuzz.target import Examiner

ROUNDS = 6000


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return make_seeds()


def test_taking_a_file_apart_and_together_again_loses_nothing(seeds: dict[str, bytes]) -> None:
    for name, content in seeds.items():
        kind = kind_of(content)
        if kind is not None and not name.startswith("jpeg-multi"):
            assert join(split(content), kind) == content, name


def test_seeds_are_decoded_but_for_what_no_photo_is(seeds: dict[str, bytes]) -> None:
    examiner = Examiner()
    outcomes = {name: examiner.examine(content) for name, content in seeds.items()}
    refused = {name for name, outcome in outcomes.items() if outcome != "decoded"}
    assert refused == {
        *(name for name in seeds if name.startswith("other-")),
        "jpeg-scan-repeated",
        "png-animated",
        "webp-animated",
    }


def test_damaged_bodies_are_decoded_or_refused_within_limits(seeds: dict[str, bytes]) -> None:
    examiner, others = Examiner(), list(seeds.values())
    for number in range(ROUNDS):
        random = Random(number)
        examiner.examine(mutate(random.choice(others), others, random))
    assert 0 < examiner.decoded < examiner.executions == ROUNDS


def test_the_examiner_sees_what_takes_too_much(monkeypatch: pytest.MonkeyPatch, seeds: dict[str, bytes]) -> None:
    for limit in ("MAX_SECONDS", "MAX_MEBIBYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(f"fuzz.target.{limit}", -1.0)
            with pytest.raises(AssertionError, match="bytes \\(decoded\\)"):
                Examiner().examine(seeds["jpeg-baseline"])
