# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty clients ask one copy of the service for a minute, with photos up to the largest that it takes.

Only 200 and 503 may come; who is admitted waits no longer than the queue's limit and a painting; the memory of a pod
must do. `python tests/bench/load.py [SECONDS [CLIENTS]]`.
"""

from __future__ import annotations

import http.client
import io
import random
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import skimage
from painting_service import Running
from PIL import Image

PHOTOS = Path(skimage.__file__).parent / "data"
QUEUE_SECONDS = 10.0
POD_MEBIBYTES = 1024
SIZES = (256, 512, 512, 512, 768, 1536)


@dataclass
class Tally:
    """What the clients saw: answers by status, seconds of those admitted, and of the slowest painting alone."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    painting: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, status: str, seconds: float, timing: str) -> None:
        """Count one answer."""
        parts = dict(one.strip().split(";dur=") for one in timing.split(",") if ";dur=" in one)
        own = sum(float(parts.get(name, 0)) for name in ("decode", "infer", "encode")) / 1000
        with self.lock:
            self.statuses[status] += 1
            if status == "200":
                self.seconds.append(seconds)
                self.painting = max(self.painting, own)


def photos() -> list[tuple[str, bytes]]:
    """Real photos, most of a phone's size, and the largest of each kind: type and bytes."""
    coffee = Image.open(PHOTOS / "coffee.png").convert("RGB")
    phone = coffee.resize((4000, 3000), Image.Resampling.BICUBIC)
    made = [("image/jpeg", (PHOTOS / "rocket.jpg").read_bytes())] * 3
    shapes = ((phone, "JPEG", {}), (phone, "PNG", {"compress_level": 1}), (phone, "WEBP", {"quality": 60}),
              (phone, "JPEG", {"progressive": True}), (coffee.resize((7300, 5400)), "JPEG", {}))  # fmt: skip
    for image, kind, options in shapes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        made.append((f"image/{kind.lower()}", buffer.getvalue()))
    return made


def client(number: int, port: int, end: float, sent: list[tuple[str, bytes]], tally: Tally) -> None:
    """Ask again and again; after a 503 as late as it says."""
    chance = random.Random(number)
    while time.monotonic() < end:
        kind, body = chance.choice(sent)
        path = f"/v1/stylize?size={chance.choice(SIZES)}&styles={chance.randrange(26)}"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        begun, pause = time.monotonic(), 0.0
        try:
            connection.request("POST", path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            answer.read()
            tally.take(str(answer.status), time.monotonic() - begun, answer.headers.get("Server-Timing", ""))
            pause = float(answer.headers.get("Retry-After", 0)) if answer.status == 503 else 0.0
        except (OSError, http.client.HTTPException) as error:
            tally.take(type(error).__name__, 0.0, "")
        finally:
            connection.close()
        time.sleep(min(pause, max(0.0, end - time.monotonic())))


def main(seconds: float, clients: int) -> int:
    """Print the table; give 1 when a limit does not hold."""
    service = Running({0, 1})
    tally, sent, end = Tally(), photos(), time.monotonic() + seconds
    try:
        threads = [
            threading.Thread(target=client, args=(number, service.port, end, sent, tally)) for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        peak = service.peak_mebibytes()
    finally:
        service.stop()
    p99 = statistics.quantiles(tally.seconds, n=100)[98] if len(tally.seconds) > 1 else float("inf")
    limit = QUEUE_SECONDS + tally.painting
    rows = [
        ("answers", ", ".join(f"{count} x {status}" for status, count in sorted(tally.statuses.items())),
         "200 and 503 only", set(tally.statuses) <= {"200", "503"} and tally.statuses["200"] > 0),
        ("p99 of those admitted", f"{p99:.2f} s", f"<= {limit:.2f} s (queue and a painting)", p99 <= limit),
        ("peak memory", f"{peak:.0f} MiB", f"< {POD_MEBIBYTES} MiB", peak < POD_MEBIBYTES),
    ]  # fmt: skip
    print(f"{clients} clients for {seconds:.0f} s, two workers, photos up to 39 megapixels")
    print(f"  median of those admitted {np.median(tally.seconds):.2f} s, {len(tally.seconds) / seconds:.1f} a second")
    for name, found, wanted, holds in rows:
        print(f"  {name:<22} {found:<28} {wanted:<34} {'holds' if holds else 'MISSED'}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    given = [float(one) for one in sys.argv[1:]]
    sys.exit(main(given[0] if given else 60.0, int(given[1]) if len(given) > 1 else 50))
