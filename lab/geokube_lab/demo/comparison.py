"""Where a request from each region goes and how long it takes, against one origin in Moscow."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from geokube_lab import topology
from geokube_lab.demo.photo import photo
from geokube_lab.demo.road import INVENTORY, ROOT

REPEATS = 3
URL = "https://style.geokube.test/v1/stylize?size=512"
HOME = "ru"


@dataclass(frozen=True)
class Answer:
    """One request's outcome: the region that served it, milliseconds, and the HTTP status."""

    region: str
    milliseconds: float
    status: int


def request(region: str, picture: Path, output: Path, *options: str) -> Answer:
    """Post the picture from a region's client, as a user's device would; raise RuntimeError when it fails.

    The connection is new each time: name, TCP, TLS, upload, answer.
    """
    command = (
        *(str(ROOT / "lab" / "lab"), "client", region, "--"),
        *("curl", "-sS", "--max-time", "60", "-D", "-", "-o", str(output), "-H", "Content-Type: image/jpeg"),
        *("--data-binary", f"@{picture}", "-w", "time %{time_total} %{http_code}\n", *options, URL),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    times = re.search(r"^time ([\d.]+) (\d+)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or times is None:
        raise RuntimeError(f"a request from {region} failed: {(done.stderr or done.stdout).strip()}")
    served = re.search(r"^x-geokube-region: (\S+)", done.stdout, re.MULTILINE | re.IGNORECASE)
    return Answer(served.group(1) if served else "?", float(times.group(1)) * 1000, int(times.group(2)))


def origin_options(address: str, state: Path) -> tuple[str, ...]:
    """Give curl's options to go to one origin past the edge, trusting the cluster's own authority."""
    authority = state / "certificates" / "ca.crt"
    return ("--connect-to", f"style.geokube.test:443:{address}:443", "--cacert", str(authority))


def median(region: str, picture: Path, output: Path, *options: str) -> Answer:
    """Repeat a request and give the median time; any status but 200 is an error."""
    answers = [request(region, picture, output, *options) for _ in range(REPEATS)]
    wrong = next((answer for answer in answers if answer.status != 200), None)
    if wrong is not None:
        raise RuntimeError(f"a request from {region} was answered with status {wrong.status}")
    middle = statistics.median(answer.milliseconds for answer in answers)
    return Answer(answers[-1].region, middle, 200)


def main() -> int:
    """Print the table; give 1 when a region's users are not served by their own region."""
    lab = topology.load()
    state = INVENTORY / ".geokube" / lab.cluster
    pictures = state / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    picture = photo()
    print(
        f"\nA photo of {picture.stat().st_size // 1024} kB, stylised at 512 px; medians of {REPEATS} new connections:"
    )
    print(f"  {'users in':<10} {'served by':<10} {'edge':>9} {'own origin':>11} {'Moscow alone':>13}")
    wrong = 0
    for name, region in lab.regions.items():
        try:
            edge = median(name, picture, pictures / f"{name}.jpg")
            own = median(
                name, picture, pictures / "own.jpg", *origin_options(str(region.nodes[0].public_address), state)
            )
            home = str(lab.regions[HOME].nodes[0].public_address)
            moscow = median(name, picture, pictures / "home.jpg", *origin_options(home, state))
        except RuntimeError as error:
            print(f"  {name:<10} {error}")
            wrong += 1
            continue
        wrong += edge.region != name
        print(
            f"  {region.city:<10} {edge.region:<10} {edge.milliseconds:>6.0f} ms {own.milliseconds:>8.0f} ms"
            f" {moscow.milliseconds:>10.0f} ms"
        )
    print(f"  the pictures: {pictures}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
