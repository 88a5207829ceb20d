# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The copies of a region keep results for one another."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import Server, free_port, until
from style_transfer.painting import Painting
from style_transfer.peers import MAX_SIDE, PATH, Peers, painting_headers
from style_transfer.settings import SettingsError, read_settings

JPEG = {"Content-Type": "image/jpeg"}
PAINTING = Painting(b"\xff\xd8 not looked at", "image/jpeg", 256, 192, {})
REGION = {"x-geokube-region": "test"}


def peers_of(ports: list[int], own: int, **settings: float) -> tuple[Peers, Counter[str]]:
    outcomes: Counter[str] = Counter()
    values = {"seconds": 20.0, "pause_seconds": 3600.0, "refresh_seconds": 3600.0, **settings}
    peers = Peers(
        [("127.0.0.1", port) for port in ports],
        ("127.0.0.1", own),
        "test",
        on_asked=lambda outcome: outcomes.update([outcome]),
        **values,
    )
    return peers, outcomes


def start(ports: list[int], own: int, **settings: str) -> Server:
    return Server(
        port=own,
        STYLE_TRANSFER_PEERS=",".join(f"127.0.0.1:{port}" for port in ports),
        STYLE_TRANSFER_OWN_ADDRESS=f"127.0.0.1:{own}",
        **{"STYLE_TRANSFER_PEER_SECONDS": "30", **settings},
    )


def paint(server: Server, photo: bytes, **query: object) -> httpx.Response:
    return server.client.post("/v1/stylize", params={"size": 256, **query}, content=photo, headers=JPEG)  # type: ignore[arg-type]


def asked(server: Server, outcome: str) -> float:
    text = server.client.get("/metrics").text
    found = re.search(rf'^style_transfer_peer_requests_total{{outcome="{outcome}"}} (\S+)$', text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


@pytest.fixture(scope="module")
def region() -> Iterator[list[Server]]:
    """Three copies that know each other."""
    ports = [free_port() for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        servers = list(threads.map(lambda own: start(ports, own, STYLE_TRANSFER_PEER_PAUSE_SECONDS="0.2"), ports))
    yield servers
    for server in servers:
        server.stop()


def test_a_result_of_one_copy_is_the_regions(region: list[Server], rocket: bytes) -> None:
    # Of five results some are owned by whoever painted them, and some are not.
    for quality in range(60, 65):
        painted = paint(region[0], rocket, quality=quality)
        assert painted.headers["x-result-origin"] == "painted"
        for server in region[1:]:
            again = server.client.get(painted.headers["content-location"])
            assert again.content == painted.content
            assert again.headers["content-type"] == painted.headers["content-type"]
            assert "immutable" in again.headers["cache-control"]
    assert region[1].client.get("/results/" + "0" * 64).status_code == 404


def test_the_same_photo_is_not_painted_twice_in_a_region(region: list[Server], rocket: bytes) -> None:
    painted = paint(region[0], rocket, styles=11, format="png")
    until(lambda: region[1].client.get(painted.headers["content-location"]).status_code == 200)
    answers = [paint(server, rocket, styles=11, format="png") for server in region]
    assert {answer.content for answer in answers} == {painted.content}
    assert {answer.headers["x-result-origin"] for answer in answers} == {"stored"}
    assert sum(asked(server, "hit") for server in region) > 0
    assert region[0].client.get("/readyz").json()["peers"] == {"known": 2, "away": 0}


def test_nobody_else_can_read_or_write_a_copys_store(region: list[Server], rocket: bytes) -> None:
    known = paint(region[0], rocket, styles=3).headers["x-result-id"]
    unknown = "f" * 64
    base = f"http://127.0.0.1:{region[0].port}{PATH}"
    stranger = httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.9"), headers=REGION)
    forwarded = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    headers = painting_headers(PAINTING)
    assert stranger.get(base + known).status_code == 404
    assert stranger.get(base + known, headers=forwarded).status_code == 404
    assert stranger.put(base + unknown, content=PAINTING.content, headers=headers | forwarded).status_code == 404
    for other in ({}, {"x-geokube-region": "elsewhere"}):
        assert httpx.get(base + known, headers=other).status_code == 404
        assert httpx.put(base + unknown, content=PAINTING.content, headers=headers | other).status_code == 404
    assert httpx.get(base + known, headers=REGION).status_code == 200
    assert region[0].client.get(f"/results/{unknown}").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"content-type": "text/html"},
        {"x-painting-width": "0"},
        {"x-painting-width": ""},
        {"x-painting-height": str(MAX_SIDE + 1)},
    ],
)
def test_what_is_no_painting_is_not_kept(region: list[Server], wrong: dict[str, str]) -> None:
    headers = {name.lower(): value for name, value in painting_headers(PAINTING).items()} | REGION | wrong
    url = f"http://127.0.0.1:{region[0].port}{PATH}{'e' * 64}"
    assert httpx.put(url, content=PAINTING.content, headers=headers).status_code == 422
    assert httpx.get(url, headers=REGION).status_code == 404
    assert httpx.put(f"{url}0", content=PAINTING.content, headers=headers).status_code == 404


def test_a_copy_that_is_killed_takes_no_result_with_it(region: list[Server], rocket: bytes) -> None:
    ports = [server.port for server in region]
    own = free_port()
    settings = {"STYLE_TRANSFER_RESULT_STORE_BYTES": "0"}
    # It keeps nothing itself: what can be had afterwards was brought to the others.
    with start([*ports, own], own, **settings) as killed:
        until(lambda: killed.metric("peers") == 3)
        results = [
            paint(killed, rocket, quality=quality, size=270).headers["content-location"] for quality in range(1, 5)
        ]
        for path in results:
            until(lambda path=path: killed.client.get(path).status_code == 200)
    for path in results:
        assert region[0].client.get(path).status_code == 200


def test_a_copy_that_ends_leaves_its_results_to_the_others(region: list[Server], rocket: bytes) -> None:
    ports = [server.port for server in region]
    own = free_port()
    leaving = start([*ports, own], own)
    try:
        results = [
            paint(leaving, rocket, quality=quality, size=260).headers["content-location"] for quality in (5, 6, 7)
        ]
    finally:
        leaving.stop()
    for path in results:
        assert [server.client.get(path).status_code for server in region] == [200] * 3


def test_copies_that_hang_or_are_down_are_left_out_after_one_try(rocket: bytes) -> None:
    with socket.socket() as hanging:
        # Its kernel accepts connections; nobody ever answers on them.
        hanging.bind(("127.0.0.1", 0))
        hanging.listen(100)
        own, down = free_port(), free_port()
        settings = {"STYLE_TRANSFER_PEER_SECONDS": "0.25", "STYLE_TRANSFER_PEER_PAUSE_SECONDS": "3600"}
        with start([own, down, hanging.getsockname()[1]], own, **settings) as server:
            until(lambda: server.metric("peers") == 2)
            # To ask for a result by its name is to ask all.
            assert server.client.get("/results/" + "0" * 64).status_code == 404
            assert (asked(server, "failed"), server.metric("peers_away")) == (2, 2)
            for quality in range(20, 26):
                assert paint(server, rocket, quality=quality).headers["x-result-origin"] == "painted"
                assert server.client.get(f"/results/{quality:064d}").status_code == 404
            assert asked(server, "failed") == 2


OURS = b"x-geokube-region: test\r\nContent-Length: 3\r\n"
ANSWERS = {
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "torn head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "torn body": b"HTTP/1.1 200 OK\r\nx-geokube-region: test\r\nContent-Length: 900\r\n\r\nabc",
    "other region": b"HTTP/1.1 200 OK\r\nx-geokube-region: mars\r\nContent-Length: 3\r\n\r\nabc",
    "endless": b"HTTP/1.1 200 OK\r\nx-geokube-region: test\r\n\r\n" + bytes(9 << 20),
    "error": b"HTTP/1.1 500 Oops\r\nx-geokube-region: test\r\nContent-Length: 0\r\n\r\n",
    "no painting": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + OURS + b"\r\nabc",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wrong_answer_is_no_result(name: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWERS[name])
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
            peers, outcomes = peers_of([listener.sockets[0].getsockname()[1]], own=1)
            await peers.refresh()
            assert await peers.find("0" * 64, 4) is None
            assert sum(outcomes.values()) == 1
            # Errors of a copy that answers are its own business: it is still there.
            assert outcomes["failed"] == peers.away == (name not in ("error", "no painting"))

    asyncio.run(run())


def test_a_copy_that_is_back_is_asked_again_and_by_one_request_first() -> None:
    async def run() -> None:
        port = free_port()
        peers, outcomes = peers_of([port], own=1, pause_seconds=0.05)
        await peers.refresh()
        assert await peers.find("0" * 64, 4) is None
        assert peers.away == 1
        released = asyncio.Event()
        connections = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\r\n\r\n")
            await released.wait()
            writer.write(b"HTTP/1.1 404 Not Found\r\nx-geokube-region: test\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", port):
            await asyncio.sleep(0.06)
            peers._pause_seconds = 3600
            tried = asyncio.create_task(peers.find("0" * 64, 4))
            while not connections:
                await asyncio.sleep(0.001)
            for _ in range(5):
                assert await peers.find("0" * 64, 4) is None
            released.set()
            await tried
            assert (connections, peers.away, outcomes["miss"]) == (1, 0, 1)

    asyncio.run(run())


def test_all_copies_agree_on_the_owner_and_few_results_move_when_one_leaves() -> None:
    async def owners(ports: list[int], own: int) -> list[int]:
        peers, _ = peers_of(ports, own)
        await peers.refresh()
        ranked = [peers._ranked(f"{number:064x}")[0] for number in range(300)]
        return [own if peer is None else peer.address[1] for peer in ranked]

    async def run() -> None:
        ports = [8001, 8002, 8003, 8004]
        seen = [await owners(ports, own) for own in ports]
        assert seen[0] == seen[1] == seen[2] == seen[3]
        assert min(Counter(seen[0]).values()) > 40
        without = await owners(ports[:3], 8001)
        assert all(after == before for before, after in zip(seen[0], without, strict=True) if before != 8004)

    asyncio.run(run())


def test_names_that_cannot_be_had_leave_the_copies_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        peers, _ = peers_of([8001, 8002], own=8001)
        await peers.refresh()
        peers._names = [("no-such-name.invalid", 8001)]
        await peers.refresh()
        assert peers.known == 1
        assert await peers.is_peer("127.0.0.1") and await peers.is_peer("::ffff:127.0.0.1")
        assert not await peers.is_peer("127.0.0.2") and not await peers.is_peer("")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"STYLE_TRANSFER_PEERS": "peers.example"}, "STYLE_TRANSFER_PEERS"),
        ({"STYLE_TRANSFER_PEERS": "peers.example:0"}, "STYLE_TRANSFER_PEERS"),
        ({"STYLE_TRANSFER_PEERS": "peers.example:8080"}, "STYLE_TRANSFER_OWN_ADDRESS"),
        ({"STYLE_TRANSFER_PEERS": "a:1", "STYLE_TRANSFER_OWN_ADDRESS": "pod-1:8080"}, "STYLE_TRANSFER_OWN_ADDRESS"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read_settings(settings)
    alone = read_settings({})
    assert (alone.peer_addresses, alone.own_peer_address) == ([], None)
    pods = read_settings({"STYLE_TRANSFER_PEERS": "a.example:8080", "STYLE_TRANSFER_OWN_ADDRESS": "fd00::7"})
    assert pods.own_peer_address == ("fd00::7", 8080)
