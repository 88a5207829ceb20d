# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fuzz the road from a request's body to pixels, guided by the coverage of Pillow's and our own Python code.

    .venv/bin/pip install -e '.[fuzz]' && .venv/bin/python tests/fuzz/run.py --seconds 600

What it finds is written to ``build/fuzz/findings``; examine it again with ``run.py --replay FILE``.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random

APPLICATION = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(APPLICATION / "src"), str(APPLICATION / "tests")]
#: Nothing of this may take the machine's memory, whatever it does.
HARD_LIMIT = 3 << 30
TELL_SECONDS = 20


def main() -> None:
    """Run until the time is over or something is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--corpus", type=Path, default=APPLICATION / "build" / "fuzz" / "corpus", help="kept and grown")
    parser.add_argument("--replay", type=Path, help="examine one file and stop")
    chosen = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (HARD_LIMIT, HARD_LIMIT))
    if chosen.replay:
        from fuzz.target import Examiner

        examiner = Examiner()
        print(examiner.examine(chosen.replay.read_bytes()))
        print(examiner.summary())
        return
    fuzz(chosen.seconds, chosen.seed, chosen.corpus)


def fuzz(seconds: int, seed: int, corpus: Path) -> None:
    """Let atheris choose what to damage; ours is how."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install -e '.[fuzz]'")
    with atheris.instrument_imports(include=["PIL", "style_transfer", "python_multipart"]):
        from fuzz.mutations import mutate
        from fuzz.seeds import make_seeds
        from fuzz.target import Examiner
    findings = APPLICATION / "build" / "fuzz" / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    seeds = make_seeds()
    begun_with = len(list(corpus.iterdir()))
    for name, content in seeds.items():
        (corpus / name).write_bytes(content)
    examiner = Examiner()
    others = list(seeds.values())
    due = time.monotonic() + TELL_SECONDS

    def damage(content: bytes, most: int, number: int) -> bytes:
        return mutate(content, others, Random(number))[:most]

    def examine(content: bytes) -> None:
        nonlocal due
        examiner.examine(content)
        # libFuzzer ends the process without Python's own end: what it saw is told as it goes.
        if time.monotonic() >= due:
            due += TELL_SECONDS
            tell()

    def tell() -> None:
        grown = len(list(corpus.iterdir())) - max(begun_with, len(seeds))
        print(f"{examiner.summary()}; {grown} bodies that reach new code joined the corpus", flush=True)

    with tempfile.TemporaryDirectory(prefix="style-transfer-fuzz-") as folder:
        options = {
            "max_total_time": seconds,
            "seed": seed,
            "max_len": 1 << 20,
            "timeout": 120,
            "rss_limit_mb": 2048,
            "print_final_stats": 1,
            "artifact_prefix": f"{findings}/",
        }
        flags = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], *flags, str(corpus), folder], examine, custom_mutator=damage)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
