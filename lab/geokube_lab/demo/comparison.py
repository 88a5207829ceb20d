"""Where a request from each region goes and how long it takes, against one origin in Moscow."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
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


def table(lab: topology.Topology, state: Path) -> int:
    """Print a row for each region, and give how many are not served by their own.

    Moscow's own users come first and alone. The others ask Moscow while they are measured near by: nearly all of that
    is waiting for the sea.
    """
    pictures = state / "pictures"
    bundle = authorities(state, state / "certificates" / "edge-and-origins.crt")
    straight = {name: past_the_edge(str(region.nodes[0].public_address), state) for name, region in lab.regions.items()}

    def alone(name: str) -> Answer:
        return median(name, pictures / f"{name}-from-{HOME}.jpg", bundle, *straight[HOME])

    wrong = 0
    waiting: dict[str, Future[Answer]] = {}
    with ThreadPoolExecutor() as pool:
        for name in sorted(lab.regions, key=lambda name: name != HOME):
            edge = median(name, pictures / f"{name}.jpg", bundle)
            own = median(name, pictures / f"{name}-origin.jpg", bundle, *straight[name])
            moscow = alone(name) if name == HOME else waiting[name].result()
            if name == HOME:
                waiting = {other: pool.submit(alone, other) for other in lab.regions if other != HOME}
            wrong += edge.region != name
            print(
                f"  {lab.regions[name].city:<10} {edge.region:<10} {edge.milliseconds:>6.0f} ms"
                f" {own.milliseconds:>8.0f} ms {moscow.milliseconds:>10.0f} ms",
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
