"""`make demo`: run the stages, then show where each region's users go and how long it takes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from geokube_lab import paths, sources
from geokube_lab.binaries import program, target
from geokube_lab.demo.road import BUILD, INVENTORY, ROOT, VENV, lab, preparation, site
from geokube_lab.stages import Outcome, Runner, StageFailed, clock, save_times

SOURCES = Path("/run/geokube-lab/sources.json")


def print_times(outcomes: list[Outcome], total: float) -> None:
    """Print the table of stages; some ran side by side, so the total is less than their sum."""
    print("\nTimes (stages run side by side where they can):")
    for outcome in outcomes:
        print(f"  {outcome.stage.name:<20} {clock(outcome.seconds):>6}")
    print(f"  {'in all':<20} {clock(total):>6}")


def link_kubectl() -> Path:
    """Link kubectl below build/: the release's, or the one program that is all of Kubernetes by its name."""
    link = BUILD / "kubectl"
    link.unlink(missing_ok=True)
    link.symlink_to(release_kubectl() if sources.real(sources.KUBESPRAY) else program(target("kubernetes")))
    return link


def release_kubectl() -> Path:
    """Give the release's kubectl."""
    done = subprocess.run((VENV, "-m", "geokube_lab.releases", "path", "kubectl"), capture_output=True, check=True)
    return Path(done.stdout.decode().strip())


def shown(path: Path) -> str:
    """Write a path as its reader would type it, from the clone's own folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def print_places(state: Path) -> None:
    """Say where the results are and what stood in for what."""
    print("\nWhere things are:")
    print(f"  report      {shown(state / 'report.html')}")
    print(f"  kubeconfig  {shown(state / 'kubeconfig')}")
    print(f"  kubectl     {shown(link_kubectl())}")
    print(f"  logs        {shown(state / 'logs')}, {shown(BUILD / 'logs')}, {paths.LOGS}")
    if not SOURCES.exists():
        return
    found = json.loads(SOURCES.read_text())
    stand_ins = found.get("stand_ins", [])
    print("\nStand-ins used:" if stand_ins else "\nNo stand-ins were used.")
    for stand_in in stand_ins:
        print(f"  {stand_in['name']}: {stand_in['used']}")


def main() -> int:
    """Run the demonstration; give the exit code."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--up-only", action="store_true", help="stop when the lab stands")
    arguments = parser.parse_args()
    stages = [*preparation(), *lab(), *([] if arguments.up_only else site())]
    runner = Runner(stages, BUILD / "logs")
    try:
        outcomes = runner.run()
    except StageFailed as error:
        print(f"\n{error}. The end of {error.outcome.log}:", file=sys.stderr)
        if not error.outcome.stage.shown:
            lines = error.outcome.log.read_text(errors="replace").splitlines()[-30:]
            print("\n".join(f"  {line}" for line in lines), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nended; run it again to go on from here", file=sys.stderr)
        return 130
    save_times(BUILD / "demo-times.json", outcomes)
    if arguments.up_only:
        print_times(outcomes, runner.elapsed())
        return 0
    compared = subprocess.run((str(ROOT / ".venv/bin/python"), "-m", "geokube_lab.demo.comparison"), check=False)
    print_times(outcomes, runner.elapsed())
    print_places(INVENTORY / ".geokube" / "devfest")
    return compared.returncode


if __name__ == "__main__":
    sys.exit(main())
