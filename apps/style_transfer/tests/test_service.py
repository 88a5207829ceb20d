# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The service as its users meet it, over HTTP."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from conftest import Server, pixels
from openapi_spec_validator import validate

JPEG = {"Content-Type": "image/jpeg"}


def paint(client: httpx.Client, photo: bytes, **query: object) -> httpx.Response:
    return client.post("/v1/stylize", params={"size": 256, **query}, content=photo, headers=JPEG)  # type: ignore[arg-type]


def test_a_photo_becomes_a_painting_that_tells_where_it_was_made(client: httpx.Client, rocket: bytes) -> None:
    answer = paint(client, rocket, styles="19")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-geokube-region"] == "test"
    assert re.fullmatch(r"[0-9a-f]{64}", answer.headers["x-result-id"])
    assert {"decode", "infer", "encode", "total"} <= set(re.findall(r"(\w+);dur=", answer.headers["server-timing"]))
    painting = pixels(answer.content)
    assert painting.shape[1] == 256
    photo = pixels(paint(client, rocket, strength=0).content)
    assert np.abs(painting.astype(int) - photo).mean() > 15


def test_the_same_request_is_served_from_the_store_and_under_its_name(client: httpx.Client, rocket: bytes) -> None:
    first, second = paint(client, rocket, styles="7"), paint(client, rocket, styles="7:2")
    assert second.headers["x-result-origin"] == "stored"
    assert first.content == second.content
    again = client.get(f"/results/{first.headers['x-result-id']}")
    assert again.content == first.content
    assert "immutable" in again.headers["cache-control"]
    assert client.get(again.request.url, headers={"If-None-Match": again.headers["etag"]}).status_code == 304
    assert client.get("/results/" + "0" * 64).status_code == 404


def test_options_change_the_picture(client: httpx.Client, rocket: bytes) -> None:
    variants = [{}, {"styles": "0:1,11:1"}, {"strength": 0.4}, {"preserve_color": "true"}, {"size": 300}]
    answers = [paint(client, rocket, **{"styles": "5", **variant}) for variant in variants]
    assert [answer.status_code for answer in answers] == [200] * len(variants)
    assert len({answer.content for answer in answers}) == len(variants)
    assert len({answer.headers["x-result-id"] for answer in answers}) == len(variants)
    for kind in ("png", "webp"):
        assert paint(client, rocket, format=kind).headers["content-type"] == f"image/{kind}"


def test_a_form_is_taken_too(client: httpx.Client, rocket: bytes) -> None:
    files = {"photo": ("holiday.jpg", rocket, "image/jpeg")}
    answer = client.post("/v1/stylize", files=files, data={"styles": "7", "size": "256"})
    assert answer.content == paint(client, rocket, styles="7").content
    assert client.post("/v1/stylize", files={"other": b"x"}).json()["code"] == "form-broken"


@pytest.mark.parametrize(
    "query",
    [
        {"styles": "26"}, {"styles": "-1"}, {"styles": "5:0"}, {"styles": "5:nan"}, {"styles": "5,5"},
        {"styles": "1,2,3,4,5,6"}, {"styles": "starry"}, {"size": "255"}, {"size": "1537"}, {"size": "1e3"},
        {"strength": "1.1"}, {"strength": "nan"}, {"format": "gif"}, {"quality": "0"}, {"preserve_color": "2"},
        {"colour": "1"},
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(client: httpx.Client, rocket: bytes, query: dict[str, str]) -> None:
    answer = client.post("/v1/stylize", params=query, content=rocket, headers=JPEG)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert next(iter(query)) in answer.json()["detail"]


def test_refusals_are_problem_documents(client: httpx.Client, rocket: bytes) -> None:
    cases = {
        415: client.post("/v1/stylize", content=b"GIF89a", headers=JPEG),
        422: client.post("/v1/stylize", content=rocket[:9000], headers=JPEG),
        404: client.get("/nothing"),
        405: client.get("/v1/stylize"),
        413: client.post("/v1/stylize", content=b"\xff\xd8\xff" + bytes(4_000_000), headers=JPEG),
    }
    for status, answer in cases.items():
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status and answer.json()["detail"]
    assert client.post("/v1/stylize", content=rocket).status_code == 415


def test_a_chunked_body_is_measured_as_it_comes(client: httpx.Client) -> None:
    answer = client.post("/v1/stylize", content=(bytes(100_000) for _ in range(40)), headers=JPEG)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [("", JPEG, 503), ("?size=1", JPEG, 422), ("", {"Content-Type": "text/plain"}, 415)],
)
def test_who_is_refused_within_an_upload_gets_the_answer_and_no_reset(
    query: str, headers: dict[str, str], status: int
) -> None:
    with Server(STYLE_TRANSFER_BODY_BUDGET_BYTES="200000") as server:
        for _ in range(10):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("POST", f"/v1/stylize{query}", bytes(12_000_000), headers)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["status"]) == (status, status)
            connection.close()


def test_a_slow_body_is_408(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/stylize HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\nab"
        )
        begun = time.monotonic()
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408")
    assert 0.5 < time.monotonic() - begun < 5


def test_records_can_be_read_and_metrics_count(client: httpx.Client, rocket: bytes) -> None:
    answer = paint(client, rocket, styles="11")
    job = client.get(f"/v1/jobs/{answer.headers['x-job-id']}").json()
    assert job["result_id"] == answer.headers["x-result-id"]
    assert (job["region"], job["styles"], job["size"]) == ("test", "11:1.000", 256)
    assert client.get("/v1/jobs/not-an-id").status_code == 404
    text = client.get("/metrics").text
    assert 'style_transfer_requests_total{route="/v1/stylize",status="200"}' in text
    assert client.get("/readyz").json()["database"]["status"] == "ok"


def test_styles_page_and_openapi_are_served(client: httpx.Client) -> None:
    listed = client.get("/v1/styles").json()["styles"]
    assert len(listed) == 26
    assert client.get(listed[7]["thumbnail"]).headers["content-type"] == "image/webp"
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"https?://", page.text)
    document = client.get("/openapi.json").json()
    validate(document)
    assert set(document["paths"]) >= {"/v1/stylize", "/results/{result_id}", "/readyz"}


def test_a_full_queue_is_503_and_everything_admitted_is_served(rocket: bytes) -> None:
    server = Server(STYLE_TRANSFER_WORKERS="1", STYLE_TRANSFER_QUEUE="2")
    try:

        def ask(number: int) -> httpx.Response:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as own:
                return paint(own, rocket, size=512, quality=number + 1)

        with ThreadPoolExecutor(12) as threads:
            answers = list(threads.map(ask, range(12)))
        statuses = {answer.status_code for answer in answers}
        assert statuses == {200, 503}
        assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)
    finally:
        server.stop()


def test_sigterm_finishes_requests_and_records(tmp_path: Path, rocket: bytes) -> None:
    import sqlite3

    path = tmp_path / "jobs.sqlite"
    server = Server(STYLE_TRANSFER_DATABASE_PATH=str(path), STYLE_TRANSFER_RECORD_SECONDS="30")
    with ThreadPoolExecutor(3) as threads:
        answers = [
            threads.submit(
                httpx.post,
                f"http://127.0.0.1:{server.port}/v1/stylize?size=512&quality={number}",
                content=rocket,
                headers=JPEG,
                timeout=60,
            )
            for number in (10, 20, 30)
        ]
        time.sleep(0.3)
        server.stop()
        served = [answer.result() for answer in answers]
    assert server.process.returncode == 0
    jobs = {row[0] for row in sqlite3.connect(path).execute("SELECT id FROM jobs")}
    assert {answer.headers["x-job-id"] for answer in served if answer.status_code == 200} == jobs
    assert jobs


def test_the_service_goes_on_without_its_database(rocket: bytes) -> None:
    server = Server(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    try:
        assert paint(server.client, rocket).status_code == 200
        assert server.client.get("/readyz").json()["database"]["status"] == "away"
        assert "style_transfer_database_up 0.0" in server.client.get("/metrics").text
    finally:
        log = server.stop()
    assert "records lost at shutdown" in log
    assert "nobody" not in log
