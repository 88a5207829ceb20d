# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(ansible-inventory), which tells at its end whose code its main thread was in."""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections import Counter
from pathlib import PurePath

from ansible.cli.inventory import main

WAITING = "waiting for the clouds, whose answers are read meanwhile"
CORE, OUTPUT = "ansible-core", "Python's json, for ansible-core's output"
OURS, IMPORTS, REST = "meridian.geokube", "imports", "the rest"
Function = tuple[str, int, str]


def whose(function: Function, caller: Function | None = None) -> str:
    """Say whose a function is; one built into Python is its caller's."""
    file, _line, name = function
    if "_queue.SimpleQueue" in name:
        return WAITING
    if file == "~" and caller is not None:
        return whose(caller)
    parts = PurePath(file).parts
    if "geokube" in parts and "plugins" in parts:
        return OURS
    if "importlib" in file or "_bootstrap" in file:
        return IMPORTS
    if "ansible" in parts:
        return CORE
    return OUTPUT if "json" in parts else REST


def shares(profile: cProfile.Profile) -> Counter[str]:
    """Add up the seconds that each had for itself."""
    spent: Counter[str] = Counter()
    for function, (_calls, _all, own, _cumulative, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if callers:
            for caller, (_primitive, _count, seconds, _total) in callers.items():
                spent[whose(function, caller)] += seconds
        else:
            spent[whose(function)] += own
    return spent


def run() -> None:
    """Run the command under the profiler."""
    profile = cProfile.Profile()
    try:
        profile.runcall(main)
    except SystemExit as end:
        if end.code:
            raise
    spent = shares(profile)
    for name, seconds in spent.most_common():
        print(f"{name:58}{seconds / spent.total():>7.0%}", file=sys.stderr)


if __name__ == "__main__":
    run()
