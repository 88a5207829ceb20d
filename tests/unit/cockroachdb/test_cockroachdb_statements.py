# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The SQL between what a database says of itself and what is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.cockroachdb import (
    CockroachDBError,
    State,
    Wish,
    database_is_whole,
    outdated_pods,
    plan_statements,
    read_state,
    sets_need_restart,
    state_queries,
    unready_sets,
)

FRESH = """\
database_name,owner,primary_region,secondary_region,regions,survival_goal
defaultdb,root,NULL,NULL,{},NULL
system,node,NULL,NULL,{},NULL
username,options,member_of
admin,,{}
root,,{admin}
region,zones
au,{ap-southeast-2a}
br,{southamerica-east1-a}
ru,{ru-central1-a}
sg,{sgp1}
target,raw_config_sql
DATABASE system,"ALTER DATABASE system CONFIGURE ZONE USING
\tgc.ttlseconds = 14400,
\tlease_preferences = '[]'"
variable,value
kv.closed_timestamp.lead_for_global_reads_override,0s
"""

WISH = Wish(
    primary_region="sg",
    regions=("sg", "au", "br", "ru"),
    survival_goal="region",
    databases={"style_transfer": "style_transfer"},
    settings={"kv.closed_timestamp.lead_for_global_reads_override": "835ms"},
)


def apply(state: State, statements: list[str]) -> State:
    """What the statements of the test make of a state: enough of CockroachDB to check that planning converges."""
    text = "\n".join(statements)
    databases = dict(state.databases)
    if 'CREATE DATABASE IF NOT EXISTS "style_transfer"' in text:
        made = replace(databases["defaultdb"], owner="style_transfer", primary_region="sg")
        databases["style_transfer"] = replace(made, regions=("au", "br", "ru", "sg"), survival_goal="region")
    return replace(
        state,
        databases=databases,
        users=state.users | {"style_transfer"},
        settings={**state.settings, **WISH.settings},
        system_zone="ALTER DATABASE system CONFIGURE ZONE USING\n\tlease_preferences = '[[+region=sg]]'",
    )


def test_a_fresh_database_gets_everything_in_an_order_that_cockroachdb_accepts() -> None:
    assert plan_statements(read_state(FRESH), WISH) == [
        "SET CLUSTER SETTING kv.closed_timestamp.lead_for_global_reads_override = '835ms'",
        'CREATE USER IF NOT EXISTS "style_transfer"',
        'CREATE DATABASE IF NOT EXISTS "style_transfer"',
        'ALTER DATABASE "style_transfer" OWNER TO "style_transfer"',
        'ALTER DATABASE "style_transfer" SET PRIMARY REGION "sg"',
        'ALTER DATABASE "style_transfer" ADD REGION "au"',
        'ALTER DATABASE "style_transfer" ADD REGION "br"',
        'ALTER DATABASE "style_transfer" ADD REGION "ru"',
        'ALTER DATABASE "style_transfer" SURVIVE REGION FAILURE',
        "ALTER DATABASE system CONFIGURE ZONE USING lease_preferences = '[[+region=sg]]'",
    ]


def test_the_second_time_there_is_nothing_to_do() -> None:
    state = read_state(FRESH)
    assert plan_statements(apply(state, plan_statements(state, WISH)), WISH) == []


def test_a_killed_run_goes_on_where_it_stopped() -> None:
    state = read_state(FRESH)
    half = replace(
        apply(state, plan_statements(state, WISH)),
        databases={
            **state.databases,
            "style_transfer": replace(
                state.databases["defaultdb"], owner="style_transfer", primary_region="sg", regions=("au", "sg")
            ),
        },
    )
    assert plan_statements(half, WISH) == [
        'ALTER DATABASE "style_transfer" ADD REGION "br"',
        'ALTER DATABASE "style_transfer" ADD REGION "ru"',
        'ALTER DATABASE "style_transfer" SURVIVE REGION FAILURE',
    ]


def test_a_new_primary_region_is_added_before_it_becomes_the_primary() -> None:
    state = read_state(FRESH)
    old = replace(state.databases["defaultdb"], owner="style_transfer", primary_region="sg", survival_goal="region")
    databases = {"style_transfer": replace(old, regions=("sg", "br", "ru"))}
    moved = replace(apply(state, []), databases=databases)
    statements = plan_statements(moved, replace(WISH, primary_region="au"))
    assert statements[:2] == [
        'ALTER DATABASE "style_transfer" ADD REGION "au"',
        'ALTER DATABASE "style_transfer" SET PRIMARY REGION "au"',
    ]


def test_a_region_beyond_the_wish_is_left_alone() -> None:
    state = apply(read_state(FRESH), plan_statements(read_state(FRESH), WISH))
    assert plan_statements(state, replace(WISH, regions=("sg", "au", "br"))) == []


@pytest.mark.parametrize("shown", ["835ms", "00:00:00.835", "0.835s", "835000us"])
def test_durations_compare_by_their_length(shown: str) -> None:
    state = apply(read_state(FRESH), plan_statements(read_state(FRESH), WISH))
    settings = {"kv.closed_timestamp.lead_for_global_reads_override": shown}
    assert plan_statements(replace(state, settings=settings), WISH) == []


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (replace(WISH, regions=("sg", "au", "mars")), "no node of the database runs in mars"),
        (replace(WISH, primary_region="moon"), "primary region 'moon'"),
        (replace(WISH, regions=("sg", "au")), "2 regions cannot survive the loss of one"),
        (replace(WISH, survival_goal="continent"), "survival goal 'continent'"),
        (replace(WISH, settings={"a; DROP DATABASE x": "1"}), "not the name of a cluster setting"),
    ],
)
def test_what_cannot_be_had_is_named(wish: Wish, said: str) -> None:
    with pytest.raises(CockroachDBError, match=said):
        plan_statements(read_state(FRESH), wish)


@pytest.mark.parametrize("lines", [0, 3, 6, 11])
def test_an_answer_that_was_cut_short_is_refused(lines: int) -> None:
    with pytest.raises(CockroachDBError, match="cut short"):
        read_state("\n".join(FRESH.splitlines()[:lines]))


def test_names_and_strings_cannot_break_out_of_their_quotes() -> None:
    wish = replace(WISH, databases={'a"b': 'o"wner'}, settings={"cluster.organization": "it's"})
    statements = plan_statements(read_state(FRESH), wish)
    assert "SET CLUSTER SETTING cluster.organization = 'it''s'" in statements
    assert 'ALTER DATABASE "a""b" OWNER TO "o""wner"' in statements


def test_only_wanted_settings_are_asked_for() -> None:
    assert "('a.b', 'c.d')" in state_queries(["c.d", "a.b"])[-1]
    assert not any("SETTING" in query for query in state_queries([]))


def pod(name: str, revision: str) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": {"controller-revision-hash": revision}}}


def stateful_set(name: str, revision: str, ready: int, updated: int = 1, generation: int = 1) -> dict[str, object]:
    status = {"updateRevision": revision, "readyReplicas": ready, "updatedReplicas": updated, "observedGeneration": 1}
    return {"metadata": {"name": name, "generation": generation}, "spec": {"replicas": 1}, "status": status}


def test_pods_of_an_old_revision_are_found_region_by_region() -> None:
    sets = [stateful_set("crdb-sg", "new", 1), stateful_set("crdb-au", "same", 1)]
    pods = [pod("crdb-sg-1", "old"), pod("crdb-sg-0", "old"), pod("crdb-au-0", "same"), pod("crdb-gone-0", "x")]
    assert outdated_pods(pods, sets) == ["crdb-sg-0", "crdb-sg-1"]


def test_sets_that_are_not_ready_or_not_up_to_date_are_found() -> None:
    fine, unready = stateful_set("crdb-au", "r", 1), {**stateful_set("crdb-br", "r", 0), "status": {}}
    assert unready_sets([fine, unready]) == ["crdb-br"]
    assert not sets_need_restart([fine])
    assert sets_need_restart([fine, stateful_set("crdb-sg", "r", 1, updated=0)])
    assert sets_need_restart([stateful_set("crdb-sg", "r", 1, generation=2)])


HEADER = "id,address,is_available,is_live,replicas_leaders,ranges,ranges_unavailable,ranges_underreplicated"


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        (["1,a,true,true,1,1,0,0", "2,b,true,true,0,0,0,0"], True),
        (["1,a,true,true,1,1,0,0", "2,b,false,false,0,0,0,0"], False),
        (["1,a,true,true,1,1,1,0"], False),
        (["1,a,true,true,1,1,0,3"], False),
        (["1,a,true,true,1,1,NULL,NULL"], False),
        ([], False),
    ],
)
def test_a_pod_may_go_only_when_the_database_is_whole(rows: list[str], whole: bool) -> None:
    assert database_is_whole("\n".join([HEADER, *rows])) is whole
