# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command ``style-transfer``."""

from __future__ import annotations

import argparse
import json
import os
import sys

from style_transfer import __version__
from style_transfer.logs import configure_logging
from style_transfer.memory import return_large_blocks
from style_transfer.settings import SettingsError, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="style-transfer", description="Turns photos into paintings.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve HTTP until SIGTERM; settings come from the environment")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=8080)
    serving.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    commands.add_parser("openapi", help="print the OpenAPI document")
    chosen = parser.parse_args(arguments)
    if chosen.command == "openapi":
        from style_transfer.openapi import document

        print(json.dumps(document(), indent=2))
        return 0
    configure_logging(chosen.log_level)
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        print(f"style-transfer: {error}", file=sys.stderr)
        return 2
    return_large_blocks()
    from style_transfer.server import serve

    try:
        serve(settings, chosen.host, chosen.port)
    except FileNotFoundError as error:
        print(f"style-transfer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
