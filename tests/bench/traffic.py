# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a monitor, four pools and a balancer take as a playbook, with 100 ms to the API and back.

Run: python tests/bench/traffic.py [--rtt MS] [--runs N]. Exits 1 when a median is over its budget.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests" / "integration" / "cloudflare"), str(REPOSITORY / "lab")]

from cloudflare_harness import ACCOUNT, TOKEN, Edge, free_port, wanted  # noqa: E402

# Seconds of playbook time at 100 ms, from nothing and with nothing to do.
BUDGETS = {"create": 4.0, "no-op": 2.5}
REQUESTS = {"create": 13, "no-op": 4}


class Relay(threading.Thread):
    """Passes TCP on with half a round trip of delay each way, and a whole one before a connection stands."""

    def __init__(self, target: int, rtt: float) -> None:
        super().__init__(daemon=True)
        self.port, self.target, self.rtt = free_port(), target, rtt
        self.ready = threading.Event()

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.ready.set()
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.rtt)
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await asyncio.sleep(self.rtt / 2)
            writer.write(data)
        writer.close()


def playbook(folder: Path, url: str) -> Path:
    """A play of one task."""
    options = {"account_id": ACCOUNT, "api_token": TOKEN, "base_url": url, **wanted()}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "tasks": [{"name": "Traffic", "meridian.geokube.cloudflare_traffic": options}],
    }
    path = folder / "play.yml"
    path.write_text(json.dumps([play]))
    return path


def timed(path: Path) -> float:
    """Seconds that ansible-playbook takes."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(path)]
    started = time.monotonic()
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=path.parent, env=environment, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.monotonic() - started


def main() -> int:
    """Measure and print; give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rtt", type=float, default=100.0, help="round trip to the API, ms")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    times: dict[str, list[float]] = {"create": [], "no-op": []}
    counts: dict[str, set[int]] = {"create": set(), "no-op": set()}
    with tempfile.TemporaryDirectory() as name:
        edge = Edge(Path(name), ("--rate-limit=100000",))
        edge.start()
        try:
            relay = Relay(edge.port, options.rtt / 1000)
            relay.start()
            relay.ready.wait(5)
            path = playbook(Path(name), f"http://127.0.0.1:{relay.port}/client/v4")
            for _ in range(options.runs):
                for kind in times:
                    edge.clear()
                    times[kind].append(timed(path))
                    counts[kind].add(len(edge.requests()))
                edge.wipe()
        finally:
            edge.stop()
    over = False
    for kind, found in times.items():
        median = statistics.median(found)
        bad = median > BUDGETS[kind] or max(counts[kind]) > REQUESTS[kind]
        over = over or bad
        print(
            f"{kind:7} median {median:.2f} s (budget {BUDGETS[kind]} s), "
            f"requests {max(counts[kind])} (at most {REQUESTS[kind]}){'  OVER' if bad else ''}"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
