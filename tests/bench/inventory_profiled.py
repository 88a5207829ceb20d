# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(ansible-inventory), which tells at its end whose code its main thread was in."""

from __future__ import annotations

import cProfile
import pstats
import sys
from pathlib import PurePath
from typing import Any

from ansible.cli.inventory import main

PLUGIN = "clouds.py"
#: What the plugin calls to hand its hosts to Ansible.
HANDED_OVER = ("add_host", "set_variable", "add_child", "add_group")
Stats = dict[tuple[str, int, str], tuple[int, int, float, float, Any]]


def seconds_in(stats: Stats, name: str, *parents: str) -> float:
    """Add up the time in functions of this name, callees too, whose file is in one of these folders."""
    return sum(
        cumulative
        for (file, _line, function), (_calls, _all, _own, cumulative, _callers) in stats.items()
        if function == name and any(parent in PurePath(file).parts for parent in parents)
    )


def handed_over(stats: Stats) -> float:
    """Add up the time in Ansible's functions that were called by the plugin itself."""
    return sum(
        float(cumulative)
        for (_file, _line, function), entry in stats.items()
        if function in HANDED_OVER
        for (caller, _at, _name), (_calls, _all, _own, cumulative) in entry[4].items()
        if PurePath(caller).name == PLUGIN
    )


def run() -> None:
    """Run the command under the profiler, then say where the main thread was."""
    profile = cProfile.Profile()
    try:
        profile.runcall(main)
    except SystemExit as end:
        if end.code:
            raise
    stats: Stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = seconds_in(stats, "cli_executor", "ansible")
    parse, collect = seconds_in(stats, "parse", PLUGIN), seconds_in(stats, "collect", "plugin_utils")
    rows = {
        "Ansible before and after the plugin: loading, host variables, JSON": total - parse,
        "Ansible taking the plugin's hosts, variables and groups": handed_over(stats),
        "the plugin asking the clouds": collect,
        "the plugin arranging what they said": parse - collect - handed_over(stats),
    }
    for name, seconds in rows.items():
        print(f"{name:68}{seconds / total:>7.0%}", file=sys.stderr)


if __name__ == "__main__":
    run()
