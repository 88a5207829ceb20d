# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a healthy run gives."""

from __future__ import annotations

from inventory_runner import Runner


def test_all(runner: Runner) -> None:
    """Every machine of every page of every cloud is there."""
    done = runner.run("--list", "-v")
    assert done.code == 0, done.stderr
    assert len(done.hostvars) == 40
