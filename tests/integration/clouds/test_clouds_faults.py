# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault, as plain HTTP and gRPC clients and the vendors' own meet it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
import requests
from botocore.exceptions import ClientError
from clouds_sdks import aws, bearer, gcp, yandex
from geokube_lab.clouds import Clouds, Fault, credentials
from google.api_core import exceptions
from yandex.cloud.compute.v1.instance_service_pb2 import ListInstancesRequest

HTTP = ("gcp", "digitalocean")
ALL = ("aws", *HTTP, "yandex")


#: What no healthy answer takes on a busy machine, seconds.
PATIENCE = 30.0


def get(clouds: Clouds, cloud: str, timeout: float = PATIENCE, **query: Any) -> requests.Response:
    """One page of a list over HTTP, from a connection of its own."""
    url, token = {
        "gcp": (f"{clouds.gcp.endpoint}/compute/v1/projects/p1/aggregated/instances", credentials.GCP_TOKEN),
        "digitalocean": (f"{clouds.digitalocean.endpoint}/droplets", credentials.DIGITALOCEAN_TOKEN),
    }[cloud]
    return requests.get(url, params=query, headers={"Authorization": f"Bearer {token}"}, timeout=timeout)


def yandex_page(clouds: Clouds, timeout: float = PATIENCE, **request: Any) -> Any:
    """One page of a list over gRPC."""
    asked = ListInstancesRequest(**{"folder_id": "f0", **request})
    return yandex(clouds).List(asked, metadata=bearer(), timeout=timeout)


def ask(clouds: Clouds, cloud: str, timeout: float = PATIENCE) -> None:
    """One page of the cloud's list; raises what the client raises."""
    if cloud == "aws":
        aws(clouds, timeout=timeout).describe_instances()
    elif cloud == "yandex":
        yandex_page(clouds, timeout=timeout)
    else:
        get(clouds, cloud, timeout=timeout).json()


STATUSES = {
    401: ("AuthFailure", "authError", "unauthorized", grpc.StatusCode.UNAUTHENTICATED),
    403: ("UnauthorizedOperation", "forbidden", "forbidden", grpc.StatusCode.PERMISSION_DENIED),
    404: ("ResourceNotFound", "notFound", "not_found", grpc.StatusCode.NOT_FOUND),
    429: ("RequestLimitExceeded", "rateLimitExceeded", "too_many_requests", grpc.StatusCode.RESOURCE_EXHAUSTED),
    500: ("InternalError", "internalError", "server_error", grpc.StatusCode.INTERNAL),
    503: ("Unavailable", "backendError", "service_unavailable", grpc.StatusCode.UNAVAILABLE),
}


@pytest.mark.parametrize("status", STATUSES)
def test_status_in_each_clouds_own_words(clouds: Clouds, status: int) -> None:
    for emulator in clouds.emulators.values():
        emulator.faults.add(Fault("status", status=status, times=1, retry_after="7"))
    code, reason, identifier, grpc_code = STATUSES[status]
    with pytest.raises(ClientError) as aws_error:
        ask(clouds, "aws")
    assert aws_error.value.response["Error"]["Code"] == code
    answer = aws_error.value.response["ResponseMetadata"]
    assert (answer["HTTPStatusCode"], answer["HTTPHeaders"]["retry-after"]) == (status, "7")
    compute = get(clouds, "gcp")
    assert (compute.status_code, compute.headers["Retry-After"]) == (status, "7")
    assert compute.json()["error"]["code"] == status
    assert compute.json()["error"]["errors"][0]["reason"] == reason
    droplets = get(clouds, "digitalocean")
    assert (droplets.status_code, droplets.headers["Retry-After"]) == (status, "7")
    assert droplets.json()["id"] == identifier
    with pytest.raises(grpc.RpcError) as yandex_error:
        ask(clouds, "yandex")
    assert yandex_error.value.code() == grpc_code
    assert dict(yandex_error.value.trailing_metadata())["retry-after"] == "7"
    # Each fault hits once, so everything works again.
    for cloud in ALL:
        ask(clouds, cloud)


def test_a_fault_for_good_and_its_message(clouds: Clouds) -> None:
    clouds.gcp.faults.add(Fault("status", status=500, message="the lab says no"))
    for _ in range(3):
        with pytest.raises(exceptions.InternalServerError, match="the lab says no"):
            list(gcp(clouds).list(project="p1", zone="us-central1-a"))
    clouds.gcp.faults.clear()
    assert list(gcp(clouds).list(project="p1", zone="us-central1-a"))


def test_a_fault_on_one_page(clouds: Clouds) -> None:
    for emulator in clouds.emulators.values():
        emulator.faults.add(Fault("status", status=500, page=2))
    for page in (1, 3):
        assert get(clouds, "digitalocean", per_page=3, page=page).status_code == 200
    assert get(clouds, "digitalocean", per_page=3, page=2).status_code == 500
    token = get(clouds, "gcp", maxResults=3).json()["nextPageToken"]
    assert get(clouds, "gcp", maxResults=3, pageToken=token).status_code == 500
    token = yandex_page(clouds, page_size=2).next_page_token
    with pytest.raises(grpc.RpcError):
        yandex_page(clouds, page_size=2, page_token=token)
    token = aws(clouds).describe_instances(MaxResults=5)["NextToken"]
    with pytest.raises(ClientError):
        aws(clouds).describe_instances(MaxResults=5, NextToken=token)


def test_a_region_a_project_and_a_folder_of_their_own(clouds: Clouds) -> None:
    clouds.aws.faults.add(Fault("status", status=403, scope="sa-east-1"))
    clouds.gcp.faults.add(Fault("status", status=403, scope="p1"))
    clouds.yandex.faults.add(Fault("status", status=403, scope="f1"))
    assert aws(clouds).describe_instances()["Reservations"]
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        aws(clouds, region="sa-east-1").describe_instances()
    assert get(clouds, "gcp").status_code == 403
    assert yandex_page(clouds).instances
    with pytest.raises(grpc.RpcError):
        yandex_page(clouds, folder_id="f1")


@pytest.mark.parametrize("cloud", ALL)
def test_hang_until_the_client_gives_up(clouds: Clouds, cloud: str) -> None:
    clouds.emulators[cloud].faults.add(Fault("hang"))
    began = time.monotonic()
    with pytest.raises(Exception, match=r"(?i)time|deadline"):
        ask(clouds, cloud, timeout=1.0)
    assert time.monotonic() - began >= 0.9


@pytest.mark.parametrize("cloud", ALL)
def test_hang_ends_when_the_faults_are_cleared(clouds: Clouds, cloud: str) -> None:
    faults = clouds.emulators[cloud].faults
    faults.add(Fault("hang"))
    faults.reset_count()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, clouds, cloud)
        end = time.monotonic() + PATIENCE
        while not faults.requests and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        assert not waiting.done()
        faults.clear()
        assert waiting.exception(PATIENCE) is not None
    ask(clouds, cloud)


@pytest.mark.parametrize("cloud", HTTP)
@pytest.mark.parametrize("kind", ["drip", "drip-head"])
def test_drip_outlasts_a_timeout_between_two_bytes(clouds: Clouds, cloud: str, kind: str) -> None:
    clouds.emulators[cloud].faults.add(Fault(kind, seconds=0.2))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(get, clouds, cloud, 1.0)
        time.sleep(2.5)
        # More than twice the timeout went by and the client still reads.
        assert not waiting.done()
        clouds.emulators[cloud].faults.clear()
        # The client takes a head that was cut behind its status for a whole one.
        assert waiting.exception(PATIENCE) is not None or not waiting.result().content


def test_drip_over_grpc_ends_at_the_deadline_only(clouds: Clouds) -> None:
    clouds.yandex.faults.add(Fault("drip", seconds=0.2))
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        yandex_page(clouds, timeout=1.5)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began >= 1.4


def test_a_slow_drip_still_brings_the_whole_answer(clouds: Clouds) -> None:
    clouds.digitalocean.faults.add(Fault("drip", seconds=0.001))
    assert get(clouds, "digitalocean", per_page=1).json()["meta"]["total"] == 10


@pytest.mark.parametrize("cloud", HTTP)
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", requests.ConnectionError),
        ("reset-body", requests.exceptions.RequestException),
        ("short", requests.exceptions.ChunkedEncodingError),
        ("torn", requests.exceptions.JSONDecodeError),
    ],
)
def test_broken_answers_over_http(clouds: Clouds, cloud: str, kind: str, error: type[Exception]) -> None:
    clouds.emulators[cloud].faults.add(Fault(kind, times=1))
    with pytest.raises(error):
        ask(clouds, cloud)
    ask(clouds, cloud)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("reset", grpc.StatusCode.UNAVAILABLE),
        ("reset-body", grpc.StatusCode.UNAVAILABLE),
        ("short", grpc.StatusCode.UNAVAILABLE),
        ("torn", grpc.StatusCode.INTERNAL),
    ],
)
def test_broken_answers_over_grpc(clouds: Clouds, kind: str, code: grpc.StatusCode) -> None:
    clouds.yandex.faults.add(Fault(kind, times=1))
    with pytest.raises(grpc.RpcError) as caught:
        yandex_page(clouds)
    assert caught.value.code() == code
    assert yandex_page(clouds).instances


@pytest.mark.parametrize("kind", ["reset", "reset-body", "short", "torn"])
def test_broken_answers_of_aws(clouds: Clouds, kind: str) -> None:
    clouds.aws.faults.add(Fault(kind, times=1))
    with pytest.raises(Exception, match=r"(?i)connection|closed|read|parse|incomplete"):
        ask(clouds, "aws")
    ask(clouds, "aws")


def pages(clouds: Clouds, cloud: str, limit: int = 6) -> list[tuple[int, str]]:
    """Up to ``limit`` pages: how many items each had, and the token of the next one (for DigitalOcean its URL)."""
    found: list[tuple[int, str]] = []
    token = ""
    while len(found) < limit:
        if cloud == "aws":
            answer = aws(clouds).describe_instances(MaxResults=5, **({"NextToken": token} if token else {}))
            count, token = len(answer["Reservations"]), answer.get("NextToken", "")
        elif cloud == "gcp":
            answer = get(clouds, "gcp", maxResults=5, pageToken=token).json()
            count = sum(len(scope.get("instances", ())) for scope in answer["items"].values())
            token = answer.get("nextPageToken", "")
        elif cloud == "digitalocean":
            answer = (
                requests.get(
                    token, headers={"Authorization": f"Bearer {credentials.DIGITALOCEAN_TOKEN}"}, timeout=PATIENCE
                )
                if token
                else get(clouds, "digitalocean", per_page=5)
            ).json()
            count, token = len(answer["droplets"]), answer["links"].get("pages", {}).get("next", "")
        else:
            answer = yandex_page(clouds, page_size=3, page_token=token)
            count, token = len(answer.instances), answer.next_page_token
        found.append((count, token))
        if not token:
            break
    return found


TOTAL = {"aws": 7, "gcp": 10, "digitalocean": 10, "yandex": 5}


@pytest.mark.parametrize("cloud", ALL)
def test_two_pages_without_a_fault(clouds: Clouds, cloud: str) -> None:
    found = pages(clouds, cloud)
    assert len(found) == 2
    assert sum(count for count, _ in found) == TOTAL[cloud]


@pytest.mark.parametrize("cloud", ["aws", "gcp", "yandex"])
def test_an_empty_page_with_a_token_hides_nothing(clouds: Clouds, cloud: str) -> None:
    clouds.emulators[cloud].faults.add(Fault("empty-page", times=1, page=1))
    found = pages(clouds, cloud)
    assert found[0][0] == 0
    assert len(found) == 3
    assert sum(count for count, _ in found) == TOTAL[cloud]


@pytest.mark.parametrize("cloud", ALL)
def test_empty_pages_without_end(clouds: Clouds, cloud: str) -> None:
    clouds.emulators[cloud].faults.add(Fault("empty-page"))
    found = pages(clouds, cloud)
    assert [count for count, _ in found] == [0] * 6
    assert len({token for _, token in found}) == 6


@pytest.mark.parametrize("cloud", ALL)
def test_a_token_that_repeats(clouds: Clouds, cloud: str) -> None:
    clouds.emulators[cloud].faults.add(Fault("token-loop"))
    found = pages(clouds, cloud)
    assert len(found) == 6
    assert len({token for _, token in found}) == 1


@pytest.mark.parametrize("cloud", ALL)
def test_a_page_that_is_dropped(clouds: Clouds, cloud: str) -> None:
    clouds.emulators[cloud].faults.add(Fault("drop-page", page=1))
    found = pages(clouds, cloud)
    assert len(found) == 2
    assert found[0][0] == 0
    assert 0 < sum(count for count, _ in found) < TOTAL[cloud]
    if cloud == "digitalocean":
        assert get(clouds, cloud).json()["meta"]["total"] == TOTAL[cloud]


def test_an_unreachable_region_of_aws_and_zone_of_yandex(clouds: Clouds) -> None:
    clouds.aws.faults.add(Fault("unreachable", scope="sa-east-1"))
    assert aws(clouds).describe_instances()["Reservations"]
    with pytest.raises(ClientError, match="Unavailable"):
        aws(clouds, region="sa-east-1").describe_instances()
    clouds.yandex.faults.add(Fault("unreachable", scope="ru-central1-a"))
    with pytest.raises(grpc.RpcError, match="ru-central1-a is not available"):
        yandex_page(clouds)


@pytest.mark.parametrize("cloud", ALL)
def test_latency_counts_and_parallel_requests(clouds: Clouds, cloud: str) -> None:
    client = aws(clouds)
    calls: dict[str, Callable[[], object]] = {
        "aws": client.describe_instances,
        "yandex": lambda: yandex_page(clouds),
    }
    call = calls.get(cloud, lambda: get(clouds, cloud))
    call()
    faults = clouds.emulators[cloud].faults
    faults.reset_count()
    faults.latency = 0.5
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: call(), range(8)))
    took = time.monotonic() - began
    assert faults.requests == 8
    # One after the other they would never be two.
    assert faults.peak >= 2
    assert took >= 0.5


def test_the_connection_is_kept(clouds: Clouds) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {credentials.DIGITALOCEAN_TOKEN}"
        ports = set()
        for _ in range(3):
            answer = session.get(f"{clouds.digitalocean.endpoint}/droplets", timeout=PATIENCE, stream=True)
            ports.add(answer.raw.connection.sock.getsockname()[1])
            json.loads(answer.content)
    assert len(ports) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "explode"}, "unknown"),
        ({"kind": "status", "status": 200}, "not an error status"),
        ({"kind": "hang", "times": 0}, "1 or more"),
        ({"kind": "unreachable"}, "name the zone"),
        ({"kind": "drip", "seconds": 0}, "more than 0"),
        ({"kind": "hang", "colour": "red"}, "colour"),
        ({}, "needs a kind"),
        ({"kind": "status", "status": "many"}, "status"),
    ],
)
def test_faults_that_make_no_sense(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault.from_mapping(values)
