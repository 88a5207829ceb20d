# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL that a CockroachDB cluster still needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.meridian.geokube.plugins.plugin_utils.cockroachdb import (
    CockroachDBError,
    Wish,
    database_is_whole,
    outdated_pods,
    plan_statements,
    read_state,
    sets_need_restart,
    state_queries,
    unready_sets,
)


def cockroachdb_state_queries(settings: Mapping[str, str]) -> list[str]:
    """Give the statements whose output C(cockroachdb_statements) reads."""
    return state_queries(list(settings))


def cockroachdb_statements(output: str, wish: Mapping[str, Any]) -> list[str]:
    """Give the statements that lead from the cluster's state to the wish.

    Raises AnsibleFilterError when something wanted cannot be had.
    """
    try:
        return plan_statements(
            read_state(output),
            Wish(
                primary_region=str(wish["primary_region"]),
                regions=tuple(str(region) for region in wish["regions"]),
                survival_goal=str(wish["survival_goal"]),
                databases={str(item["name"]): str(item["owner"]) for item in wish["databases"]},
                settings={str(name): str(value) for name, value in wish["settings"].items()},
            ),
        )
    except KeyError as error:
        raise AnsibleFilterError(f"cockroachdb_statements: the wish or the database's answer has no {error}") from error
    except CockroachDBError as error:
        raise AnsibleFilterError(f"cockroachdb_statements: {error}") from error


class FilterModule:
    """The filters of this file by their names."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Give the filters of this file."""
        return {
            "cockroachdb_state_queries": cockroachdb_state_queries,
            "cockroachdb_statements": cockroachdb_statements,
            "cockroachdb_is_whole": database_is_whole,
            "cockroachdb_outdated_pods": outdated_pods,
            "cockroachdb_sets_need_restart": sets_need_restart,
            "cockroachdb_unready_sets": unready_sets,
        }
