"""Where a request from each region goes and how long it takes, against one origin in Moscow."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from geokube_lab import topology
from geokube_lab.demo.origin_access import NAME, authorities, past_the_edge
from geokube_lab.demo.photo import fresh, photo
from geokube_lab.demo.road import INVENTORY, ROOT
from geokube_lab.errors import LabError

REPEATS = 3
URL = f"https://{NAME}/v1/stylize?size=512"
HOME = "ru"


@dataclass(frozen=True)
class Answer:
    """One request's outcome: the region that served it, milliseconds, and the HTTP status."""

    region: str
    milliseconds: float
    status: int


def request(region: str, output: Path, bundle: Path, *options: str) -> Answer:
    """Post a photo from a region's client, as a user's device would; raise LabError when it fails.

    The connection is new each time, name, TCP, TLS, upload, answer, and the photo is one that nobody has seen.
    """
    with tempfile.TemporaryDirectory(prefix="geokube-") as folder:
        command = (
            *(str(ROOT / "lab" / "lab"), "client", region, "--"),
            *("curl", "-sS", "--max-time", "60", "-D", "-", "-o", str(output), "--cacert", str(bundle)),
            *("-H", "Content-Type: image/jpeg", "--data-binary", f"@{fresh(photo(), Path(folder))}"),
            *("-w", "time %{time_total} %{http_code}\n", *options, URL),
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    times = re.search(r"^time ([\d.]+) (\d+)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or times is None:
        raise LabError(f"a request from {region} failed: {(done.stderr or done.stdout).strip()}")
    served = re.search(r"^x-geokube-region: (\S+)", done.stdout, re.MULTILINE | re.IGNORECASE)
    return Answer(served.group(1) if served else "?", float(times.group(1)) * 1000, int(times.group(2)))


def median(region: str, output: Path, bundle: Path, *options: str) -> Answer:
    """Repeat a request and give the median time; any status but 200 is an error."""
    answers = [request(region, output, bundle, *options) for _ in range(REPEATS)]
    wrong = next((answer for answer in answers if answer.status != 200), None)
    if wrong is not None:
        raise LabError(f"a request from {region} was answered with status {wrong.status}")
    middle = statistics.median(answer.milliseconds for answer in answers)
    return Answer(answers[-1].region, middle, 200)


def far(lab: topology.Topology, state: Path, bundle: Path, pool: Executor) -> dict[str, Future[Answer]]:
    """Begin to ask the one origin in Moscow from everywhere: nearly all of it is waiting for the sea."""
    options = past_the_edge(str(lab.regions[HOME].nodes[0].public_address), state)
    return {
        name: pool.submit(median, name, state / "pictures" / f"{name}-from-{HOME}.jpg", bundle, *options)
        for name in lab.regions
    }


def table(lab: topology.Topology, state: Path) -> int:
    """Print a row for each region, and give how many are not served by their own."""
    pictures = state / "pictures"
    bundle = authorities(state, state / "certificates" / "edge-and-origins.crt")
    wrong = 0
    with ThreadPoolExecutor() as pool:
        moscow = far(lab, state, bundle, pool)
        for name, region in lab.regions.items():
            edge = median(name, pictures / f"{name}.jpg", bundle)
            origin = past_the_edge(str(region.nodes[0].public_address), state)
            own = median(name, pictures / f"{name}-origin.jpg", bundle, *origin)
            wrong += edge.region != name
            print(
                f"  {region.city:<10} {edge.region:<10} {edge.milliseconds:>6.0f} ms {own.milliseconds:>8.0f} ms"
                f" {moscow[name].result().milliseconds:>10.0f} ms",
                flush=True,
            )
    return wrong


def main() -> int:
    """Print the table; give 1 when a region's users are not served by their own region."""
    lab = topology.load()
    state = INVENTORY / ".geokube" / lab.cluster
    pictures = state / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    kilobytes = photo().stat().st_size // 1024
    print(f"\nA photo of {kilobytes} kB, painted at 512 px; medians of {REPEATS} new connections:")
    print(f"  {'users in':<10} {'served by':<10} {'edge':>9} {'own origin':>11} {'Moscow alone':>13}")
    try:
        wrong = table(lab, state)
    except (OSError, LabError) as error:
        print(f"  {error}", file=sys.stderr)
        return 1
    print(f"  the pictures: {pictures.relative_to(ROOT)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
