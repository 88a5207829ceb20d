"""Ask sources whether they are there."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

from geokube_lab.sources.catalogue import Source

REQUEST_SECONDS = 3.0
ALL_SECONDS = 5.0


def _ask(source: Source, seconds: float) -> tuple[bool, str]:
    request = urllib.request.Request(source.url, method="GET", headers={"User-Agent": "geokube-lab"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except (OSError, ValueError) as error:
        return False, str(getattr(error, "reason", error)) or type(error).__name__
    return status in source.welcome, f"HTTP {status}"


def probe(
    sources: Sequence[Source], *, request_seconds: float = REQUEST_SECONDS, all_seconds: float = ALL_SECONDS
) -> dict[str, tuple[bool, str]]:
    """Ask all sources that have a url at the same time; by name, whether each is there and what was heard.

    Ends after `all_seconds` even where a name server or a firewall never answers.
    """
    answers: dict[str, tuple[bool, str]] = {}

    def ask(source: Source) -> None:
        answers[source.name] = _ask(source, request_seconds)

    threads = []
    for source in (one for one in sources if one.url):
        # A daemon: a look-up that hangs in the C library cannot be ended, but need not be waited for.
        thread = threading.Thread(target=ask, args=(source,), daemon=True)
        thread.start()
        threads.append(thread)
    deadline = time.monotonic() + all_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    silent = (False, f"no answer in {all_seconds:g} s")
    return {source.name: answers.get(source.name, silent) for source in sources if source.url}
