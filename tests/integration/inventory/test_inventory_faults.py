# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a cloud can do wrong: the run fails, says what and where, and adds no host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from geokube_lab.clouds import Fault
from inventory_runner import Done, Runner

#: Limits that no healthy answer comes near, on a busy machine either; one more try is enough to see it.
LIMITS: dict[str, Any] = {"timeout": 30, "deadline": 59, "retries": 1}
#: Where the fault is the time that it takes: two tries, or the deadline.
SHORT: dict[str, Any] = {"timeout": 2, "deadline": 30, "retries": 1}
TO_THE_DEADLINE: dict[str, Any] = {"timeout": 1, "deadline": 8, "retries": 1}
#: How long after the deadline the process may take to end, seconds, on a busy machine; a drip takes ten minutes.
GRACE = 60.0
PARSER_ERROR = 4

AWS, GCP = r"aws, key \S+, region (sa-east-1|us-east-1): ", "gcp, project p1: "
DIGITALOCEAN, YANDEX = "digitalocean: ", r"yandex, folder f[01]: "
NETWORK = r"Check .*the network and .*endpoint(, or raise timeout)?\."
AGAIN = r"Run again; if it stays so, see https://\S+\."
RESET = rf"the connection was reset before the answer was whole \(2 tries\)\. {NETWORK}"


@dataclass(frozen=True)
class Row:
    """One fault and what it is to look like, a pattern for each provider; no pattern where the run succeeds."""

    name: str
    fault: Fault
    patterns: Mapping[str, str]
    limits: Mapping[str, Any] = field(default_factory=lambda: LIMITS)


def same(status: str, aws: str, gcp: str, digitalocean: str, yandex: str) -> dict[str, str]:
    """Build the patterns of a row from what follows the place and the call in each provider's line."""
    return {
        "aws": f"{AWS}{status}DescribeInstances: {aws}",
        "gcp": f"{GCP}{status}GET aggregated instances: {gcp}",
        "digitalocean": f"{DIGITALOCEAN}{status}GET droplets, page 1: {digitalocean}",
        "yandex": f"{YANDEX}{status}list instances: {yandex}",
    }


ROWS = (
    Row(
        "401",
        Fault("status", status=401),
        same(
            "HTTP 401: ",
            r"AuthFailure: AWS was not able to validate the provided access credentials\. Give valid credentials, .*",
            r"Request had invalid authentication credentials\. .* Renew the credentials .*",
            r"unauthorized: Unable to authenticate you\. Give a valid token in providers\.digitalocean\.api_token .*",
            r"UNAUTHENTICATED: The token is invalid\. Renew YC_IAM_TOKEN .*",
        ),
    ),
    Row(
        "403",
        Fault("status", status=403),
        same(
            "HTTP 403: ",
            r"UnauthorizedOperation: You are not authorized .*\. Give the identity ec2:DescribeInstances .*",
            r"The caller does not have permission\. Give the account the role roles/compute\.viewer .*",
            r"forbidden: You do not have access for the attempted action\. Give the token the scopes .*",
            r"PERMISSION_DENIED: Permission denied\. Give the account the role compute\.viewer .*",
        ),
    ),
    Row(
        "404",
        Fault("status", status=404),
        same(
            "HTTP 404: ",
            r"ResourceNotFound: The resource was not found\. Check providers\.aws\.endpoint\.",
            r"Requested entity was not found\. Check the name in providers\.gcp\.projects\.",
            r"not_found: The resource you were accessing could not be found\. Check providers\.digitalocean\..*",
            r"NOT_FOUND: Not found\. Check the identifier in providers\.yandex\.folders\.",
        ),
    ),
    Row(
        "429 for good",
        Fault("status", status=429),
        same(
            "HTTP 429: ",
            r"RequestLimitExceeded: Request limit exceeded \(2 tries\)\. Wait, .*",
            r"Quota exceeded for quota metric 'List requests' \(2 tries\)\. Wait, .*",
            r"too_many_requests: API Rate limit exceeded \(2 tries\)\. Wait .*",
            r"RESOURCE_EXHAUSTED: Quota limit api\.requests exceeded \(2 tries\)\. Wait, .*",
        ),
    ),
    Row(
        "429 that asks for longer than the deadline",
        Fault("status", status=429, retry_after="60"),
        same(
            "HTTP 429: ",
            *[r"[^;]*; the server asked to wait 60 s; the deadline of 59 s leaves no time for another try\. Wait.*"]
            * 4,
        ),
    ),
    Row(
        "500 for good",
        Fault("status", status=500),
        same(
            "HTTP 500: ",
            rf"InternalError: An internal error has occurred \(2 tries\)\. {AGAIN}",
            rf"Internal error encountered \(2 tries\)\. {AGAIN}",
            rf"server_error: Server was unable to give you a response \(2 tries\)\. {AGAIN}",
            rf"INTERNAL: Internal error \(2 tries\)\. {AGAIN}",
        ),
    ),
    Row("hang", Fault("hang"), same("", *[rf"no answer within 2 s \(2 tries\)\. {NETWORK}"] * 4), SHORT),
    Row(
        "slow drip of the body",
        Fault("drip", seconds=0.2),
        {
            **same("", *[rf"the answer was not complete within 2 s \(\d+ bytes came\) \(2 tries\)\. {NETWORK}"] * 4),
            "yandex": rf"{YANDEX}list instances: no answer within 2 s \(2 tries\)\. {NETWORK}",
        },
        SHORT,
    ),
    Row(
        "slow drip of head and body",
        Fault("drip-head", seconds=0.2),
        {
            "aws": r"aws: no complete answer within the deadline of 8 s; waiting for key \S+, region \S+: Describe.*",
            "gcp": r"gcp: no complete answer within the deadline of 8 s; waiting for project p1: GET aggregated .*",
            "digitalocean": r"digitalocean: no complete answer within the deadline of 8 s; waiting for GET droplets.*",
            "yandex": rf"{YANDEX}list instances: no answer within 1 s \(2 tries\)\. {NETWORK}",
        },
        TO_THE_DEADLINE,
    ),
    Row("reset", Fault("reset"), same("", *[RESET] * 4)),
    Row("reset within the body", Fault("reset-body"), same("", *[RESET] * 4)),
    Row(
        "torn JSON, XML or protobuf",
        Fault("torn"),
        {
            **same("HTTP 200: ", *[rf"the answer cannot be read: .* \(2 tries\)\. {AGAIN}"] * 4),
            "yandex": rf"{YANDEX}HTTP 500: list instances: INTERNAL: .*deserializing.* \(2 tries\)\. {AGAIN}",
        },
    ),
    Row(
        "shorter than promised",
        Fault("short"),
        {
            **same(
                "",
                *[
                    r"the connection failed: it closed after \d+ bytes, and \d+ more were promised \(2 tries\)\. "
                    + NETWORK
                ]
                * 4,
            ),
            "yandex": rf"{YANDEX}list instances: {RESET}",
        },
    ),
    Row("429 once", Fault("status", status=429, times=1), {}),
    Row("429 once with Retry-After", Fault("status", status=429, times=1, retry_after="1"), {}),
    Row("500 once", Fault("status", status=500, times=1), {}),
    Row("reset once", Fault("reset", times=1), {}),
    Row("torn once", Fault("torn", times=1), {}),
    Row("an empty page with a token", Fault("empty-page", times=1), {}),
    Row("slow, but within the limits", Fault("slow", seconds=0.3), {}),
)

LOOPS = {
    "aws": rf"{AWS}DescribeInstances: the page token came twice after \d+ instances\. Run again; .*",
    "gcp": rf"{GCP}GET aggregated instances: the page token came twice after \d+ instances\. Run again; .*",
    "yandex": rf"{YANDEX}list instances: the page token came twice after \d+ instances\. Run again; .*",
}


def assert_refused(done: Done, patterns: Mapping[str, str], limits: Mapping[str, Any] = LIMITS) -> None:
    """One error with a line that matches each provider's pattern and no other line; the process ended in time."""
    assert done.code == PARSER_ERROR
    assert done.hosts == 0
    assert "{" not in done.stdout
    assert done.seconds < limits["deadline"] + GRACE
    lines = done.stderr.strip().splitlines()
    assert re.fullmatch(r"\[?ERROR[]!]:? \S+test\.geokube\.yml: the list of machines is not complete", lines[0])
    matched = {name: [line for line in lines[1:] if re.fullmatch(pattern, line)] for name, pattern in patterns.items()}
    assert all(matched.values()), (matched, done.stderr)
    assert sorted(line for found in matched.values() for line in found) == sorted(filter(None, lines[1:]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fault_everywhere(runner: Runner, row: Row) -> None:
    """The same fault in all four clouds: each is named in the one error, or all machines are there."""
    assert runner.clouds is not None
    for emulator in runner.clouds.emulators.values():
        emulator.faults.add(row.fault)
    done = runner.run(**row.limits)
    if row.patterns:
        assert_refused(done, row.patterns, row.limits)
    else:
        assert done.code == 0, done.stderr
        assert len(done.hostvars) == 40


@pytest.mark.parametrize("provider", list(LOOPS))
def test_page_token_repeats(runner: Runner, provider: str) -> None:
    """A list that never ends is an error, and the three other clouds' machines are not added."""
    assert runner.clouds is not None
    runner.clouds.emulators[provider].faults.add(Fault("token-loop"))
    assert_refused(runner.run(**LIMITS), {provider: LOOPS[provider]})


def test_page_lost(runner: Runner) -> None:
    """DigitalOcean counts its droplets: a page without its droplets is an error."""
    assert runner.clouds is not None
    runner.clouds.digitalocean.faults.add(Fault("drop-page", page=2))
    pattern = r"digitalocean: droplets: the API counts 10 and listed 6\. Run again; .*"
    assert_refused(runner.run(**LIMITS), {"digitalocean": pattern})


def test_one_of_two_regions_refused(runner: Runner) -> None:
    """AWS refuses one region: the other's machines are not enough."""
    assert runner.clouds is not None
    runner.clouds.aws.faults.add(Fault("status", status=403, scope="sa-east-1"))
    pattern = r"aws, key \S+, region sa-east-1: HTTP 403: DescribeInstances: UnauthorizedOperation: .*"
    assert_refused(runner.run(**LIMITS), {"aws": pattern})


def test_one_of_two_folders_refused(runner: Runner) -> None:
    """Yandex refuses one folder: the other's machines are not enough."""
    assert runner.clouds is not None
    runner.clouds.yandex.faults.add(Fault("status", status=403, scope="f1"))
    assert_refused(runner.run(**LIMITS), {"yandex": r"yandex, folder f1: HTTP 403: .*"})


def test_one_of_two_projects_missing(runner: Runner) -> None:
    """A project that does not exist is an error, not an empty list."""
    assert runner.clouds is not None
    providers = runner.clouds.providers()
    providers["gcp"]["projects"] = ["p1", "no-such-project"]
    pattern = r"gcp, project no-such-project: HTTP 404: GET aggregated instances: .* Check the name in .*"
    assert_refused(runner.run(providers=providers, **LIMITS), {"gcp": pattern})


def test_folder_missing(runner: Runner) -> None:
    """A folder that does not exist is an error, not an empty list."""
    assert runner.clouds is not None
    providers = runner.clouds.providers()
    providers["yandex"]["folders"] = ["f0", "no-such-folder"]
    pattern = r"yandex, folder no-such-folder: HTTP 40[34]: list instances: .*"
    assert_refused(runner.run(providers=providers, **LIMITS), {"yandex": pattern})


def test_zone_unreachable(runner: Runner) -> None:
    """Compute Engine lists a zone as unreachable: it is named."""
    assert runner.clouds is not None
    runner.clouds.gcp.faults.add(Fault("unreachable", scope="us-central1-b"))
    pattern = r"gcp, project p1, us-central1-b: GET aggregated instances: .* Run again when the zone answers, .*"
    assert_refused(runner.run(**LIMITS), {"gcp": pattern})


@pytest.mark.parametrize("provider", ["aws", "gcp", "digitalocean", "yandex"])
def test_one_cloud_refuses(runner: Runner, provider: str) -> None:
    """Three clouds answer and one does not: nothing is added."""
    assert runner.clouds is not None
    runner.clouds.emulators[provider].faults.add(Fault("status", status=403))
    assert_refused(runner.run(**LIMITS), {provider: rf"{provider}.* HTTP 403: .*"})
    for name, emulator in runner.clouds.emulators.items():
        assert emulator.faults.requests >= 1, name


@pytest.mark.parametrize("status", [401, 403, 404])
def test_no_retry_where_it_cannot_help(runner: Runner, status: int) -> None:
    """Refusals are final: each cloud is asked once for each region or folder."""
    assert runner.clouds is not None
    for emulator in runner.clouds.emulators.values():
        emulator.faults.add(Fault("status", status=status))
    assert runner.run(**LIMITS).code == PARSER_ERROR
    requests = {name: emulator.faults.requests for name, emulator in runner.clouds.emulators.items()}
    assert requests == {"aws": 2, "gcp": 1, "digitalocean": 1, "yandex": 2}


def test_allow_partial(runner: Runner) -> None:
    """A cloud that may be missing leaves a warning that says what is missing, and the others' machines."""
    assert runner.clouds is not None
    runner.clouds.gcp.faults.add(Fault("status", status=500))
    done = runner.run(allow_partial=["gcp"], **LIMITS)
    assert done.code == 0, done.stderr
    assert len(done.hostvars) == 30
    warning = " ".join(done.stderr.split())
    assert "The machines of gcp are missing (allow_partial): gcp, project p1: HTTP 500:" in warning


def test_allow_partial_names_another(runner: Runner) -> None:
    """allow_partial covers only the provider that it names."""
    assert runner.clouds is not None
    runner.clouds.aws.faults.add(Fault("status", status=403))
    done = runner.run(allow_partial=["gcp"], **LIMITS)
    assert_refused(done, {"aws": rf"{AWS}HTTP 403: .*"})


def test_allow_partial_past_the_deadline(runner: Runner) -> None:
    """A cloud that drips and may be missing costs the deadline and no more."""
    assert runner.clouds is not None
    runner.clouds.digitalocean.faults.add(Fault("drip-head", seconds=0.2))
    # The healthy three have as long as the dripping one.
    done = runner.run(allow_partial=["digitalocean"], deadline=12, timeout=12)
    assert done.code == 0, done.stderr
    assert len(done.hostvars) == 30
    assert done.seconds < 12 + GRACE
