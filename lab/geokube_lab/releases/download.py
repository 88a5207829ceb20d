"""Download files whose sha256 is known: tried again, gone on with where they broke off, and whole or not there."""

from __future__ import annotations

import errno
import hashlib
import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from geokube_lab.errors import LabError

CHUNK = 1 << 18
BUSY = (408, 425, 429, 500, 502, 503, 504)
LONGEST_PAUSE = 30.0
NO_SUCH_RANGE = 416
Report = Callable[[str], None]


@dataclass(frozen=True)
class Patience:
    """How often a file is tried, seconds before the second try (then twice as long, ...), seconds of silence."""

    attempts: int = 6
    pause: float = 1.0
    silence: float = 30.0


class _Passing(Exception):
    """What may be otherwise in a moment; `after` is how many seconds the server asks to wait."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


def download(url: str, sha256: str, target: Path, report: Report, patience: Patience = Patience()) -> bool:
    """Have the file of this sha256 (64 hex digits) at `target`; False when it was there.

    A file at `target` was compared when it came, so that it is not read again. What a broken transfer left is kept
    beside it, as a hidden file, for the next try or the next run. LabError names the URL and what was wrong.
    """
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    torn = False
    for attempt in range(1, patience.attempts + 1):
        try:
            resumed = _transfer(url, part, report, patience.silence)
        except _Passing as error:
            if attempt == patience.attempts:
                raise LabError(
                    f"{url} cannot be had: {error} ({attempt} tries). Run it again to go on from "
                    f"{part.stat().st_size if part.exists() else 0} bytes"
                ) from error
            time.sleep(min(max(patience.pause * 2 ** (attempt - 1), error.after), LONGEST_PAUSE))
            continue
        except LabError:
            part.unlink(missing_ok=True)
            raise
        found = _digest(part)
        if found == sha256:
            part.replace(target)
            return True
        part.unlink()
        # What was here before the transfer went on may have been torn or of another file: once more from its start.
        if not resumed or torn:
            raise LabError(
                f"{url} has the sha256 {found}, and {sha256} was expected: what is served there is another file, or "
                "was changed on its way"
            )
        torn = True
    raise LabError(f"{url} cannot be had: what is served changes from one try to the next")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _transfer(url: str, part: Path, report: Report, silence: float) -> bool:
    """Write the rest of the file to `part`; whether it was gone on with."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "geokube-lab", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=silence) as answer:
            resumed: bool = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                raise LabError(f"{url}: the server answers another range than was asked for, {have}-")
            _copy(answer, part, have if resumed else 0, report)
            return resumed
    except urllib.error.HTTPError as error:
        if error.code == NO_SUCH_RANGE and have:
            # There is no more of it: its checksum says whether it is whole.
            return True
        if error.code in BUSY:
            raise _Passing(f"the server says {error.code} {error.reason}", _seconds(error)) from error
        hint = ": there is no such release file" if error.code in (404, 410) else ""
        raise LabError(f"{url}: the server says {error.code} {error.reason}{hint}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise LabError(f"{url}: the server's certificate is not trusted: {error.reason}") from error
        raise _Passing(str(error.reason)) from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _Passing(str(error) or type(error).__name__) from error
    except ValueError as error:
        raise LabError(f"{url} is no URL that can be asked: {error}") from error
    except OSError as error:
        what = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
        raise LabError(f"{part.parent}: {what}, while {url} was written") from error


def _copy(answer: http.client.HTTPResponse, part: Path, have: int, report: Report) -> None:
    announced = answer.headers.get("Content-Length")
    total = have + int(announced) if announced else 0
    size = have
    with part.open("ab" if have else "wb") as stream:
        while chunk := answer.read(CHUNK):
            stream.write(chunk)
            size += len(chunk)
            report(f"{part.name[1:-5]}: {size >> 20} of {total >> 20 if total else '?'} MiB")
    if total and size < total:
        raise _Passing(f"it broke off after {size} of {total} bytes")


def _seconds(error: urllib.error.HTTPError) -> float:
    said = error.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else 0.0
