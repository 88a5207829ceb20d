"""Which sources this machine reaches, and what is used in place of those that it does not.

`python -m geokube_lab.sources` looks, prints its finding for each source and records it for the demonstration and
the report. GEOKUBE_SOURCES=internet or packages decides by hand, without looking; auto (the default) looks;
GEOKUBE_SOURCES=auto,kubespray=packages decides one by hand. What a lab was brought up with is kept while it is up.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from geokube_lab.errors import LabError
from geokube_lab.sources import RECORD, decide, kept_findings, mode_from_environment, record


def main() -> int:
    parser = argparse.ArgumentParser(prog="geokube_lab.sources", description=__doc__)
    parser.add_argument("--record", type=Path, default=RECORD, help="where the finding is kept")
    arguments = parser.parse_args()
    try:
        mode = mode_from_environment()
        # Who decides by hand is not held to what was.
        kept = kept_findings(arguments.record) if str(mode) == "auto" else {}
        findings = decide(mode, kept=kept)
        record(mode, findings, arguments.record)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: {arguments.record} cannot be written: {error.strerror}; be root, or give --record", file=sys.stderr
        )
        return 1
    for finding in findings:
        where = f"{finding.url}: {'reached' if finding.reachable else 'not reached'} ({finding.detail})"
        print(f"{finding.name}: {where if finding.url else finding.detail}\n    uses {finding.used}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
