# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A steady load from where it runs: prints one JSON line a request (start, seconds, status, region, error).

Run: python load.py URL RATE SECONDS. A request begins when its time has come, whether or not others have ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp


async def one(session: aiohttp.ClientSession, url: str) -> None:
    """Send one request and print how it ended."""
    entry: dict[str, Any] = {"start": time.time()}
    started = time.monotonic()
    try:
        async with session.get(url) as response:
            await response.read()
            entry |= {"status": response.status, "region": response.headers.get("x-geokube-region", "")}
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        entry |= {"status": 0, "region": "", "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(entry | {"seconds": round(time.monotonic() - started, 3)}), flush=True)


async def main(url: str, rate: float, seconds: float) -> None:
    """Keep the rate, requests a second, for so many seconds."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.monotonic()
        tasks = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(one(session, url)))
        await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
