"""The command `lab/lab`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from geokube_lab import client, commands, down, topology, up
from geokube_lab.errors import LabError
from geokube_lab.progress import Progress

_DESCRIPTION = "Four continents on one Linux machine: machines, the sea between them, users."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what it says, 1 after an error, 2 for a wrong call."""
    head, tail = _split(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(head)
    if tail:
        if not hasattr(arguments, "argv"):
            _parser().error(f"{arguments.command} takes nothing after --")
        arguments.argv = [*arguments.argv, *tail]
    try:
        if os.geteuid() != 0:
            raise LabError("the lab makes namespaces, mounts and cgroups: run it as root")
        return int(_run(arguments) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing may be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; `lab/lab up` goes on, `lab/lab down` cleans up", file=sys.stderr)
    return 1


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """What belongs to the lab, and the command after the first `--`."""
    if "--" not in argv:
        return list(argv), []
    index = list(argv).index("--")
    return list(argv[:index]), list(argv[index + 1 :])


def _run(arguments: argparse.Namespace) -> int | None:
    if arguments.topology is not None:
        os.environ[topology.VARIABLE] = str(arguments.topology.absolute())
    if arguments.command == "down":
        # Must work whatever topology.yml says by now.
        down.down(Progress(), arguments.purge)
        return None
    world = topology.load()
    match arguments.command:
        case "up":
            progress = Progress()
            up.up(world, progress)
            progress.line("the lab is up")
        case "status":
            return commands.status(world)
        case "ssh":
            commands.ssh(world.node(arguments.node), arguments.argv)
        case "client":
            if not arguments.argv:
                raise LabError("client: say what to run: lab/lab client REGION -- CMD", 2)
            client.run(world.region(arguments.region).name, arguments.argv)
        case "cut":
            commands.cut(world, arguments.regions)
        case "withdraw":
            commands.withdraw(world, arguments.region)
        case "heal":
            commands.heal(world, arguments.regions)
        case "rtt":
            commands.set_rtt(world, arguments.a, arguments.b, arguments.ms)
        case "loss":
            commands.set_loss(world, arguments.a, arguments.b, arguments.percent)
        case "crash":
            commands.crash(world, world.node(arguments.node))
        case "restart":
            commands.restart(world, arguments.service)
        case "start":
            commands.start(world, world.node(arguments.node))
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab/lab", description=_DESCRIPTION)
    parser.add_argument("--topology", type=Path, metavar="FILE", help="default: lab/topology.yml")
    verbs = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    verbs.add_parser("up", help="bring the lab up, or repair it")
    verb = verbs.add_parser("down", help="remove the machines and all that runs; keys, registry, files and logs stay")
    verb.add_argument("--purge", action="store_true", help="remove those too")
    verbs.add_parser("status", help="machines, services, links")
    verb = verbs.add_parser("ssh", help="a shell on a machine, or a command: ssh NODE -- CMD")
    verb.add_argument("node")
    verb.add_argument("argv", nargs="*", metavar="CMD")
    verb = verbs.add_parser("client", help="a command as a user in a region: client REGION -- CMD")
    verb.add_argument("region")
    verb.add_argument("argv", nargs="*", metavar="CMD")
    verb = verbs.add_parser("cut", help="cut REGION: its machines from everything; cut A B: all between two regions")
    verb.add_argument("regions", nargs="+", metavar="REGION")
    verb = verbs.add_parser("withdraw", help="the region's point of presence is down; the next one answers")
    verb.add_argument("region")
    verb = verbs.add_parser("heal", help="undo cuts, losses and withdrawals: all, of one region, or between two")
    verb.add_argument("regions", nargs="*", metavar="REGION")
    verb = verbs.add_parser("rtt", help="set a round trip in milliseconds")
    verb.add_argument("a")
    verb.add_argument("b")
    verb.add_argument("ms", type=float)
    verb = verbs.add_parser("loss", help="lose a percentage of the packets, in each direction")
    verb.add_argument("a")
    verb.add_argument("b")
    verb.add_argument("percent", type=float)
    verb = verbs.add_parser("restart", help="end a background service and start it again: restart edge")
    verb.add_argument("service")
    for name, text in (("crash", "power loss: the machine ends at once"), ("start", "switch a machine on again")):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("node")
    return parser
