# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray's tree from a tarball, as a file or a URL, of a known checksum."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import open_url
from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_source import (
    PassingError,
    SourceError,
    alone,
    appearing,
    check_tree,
    patiently,
    refuse_password,
)

RECORD = ".geokube-checksum"
CHUNK = 1 << 20
_BUSY = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Tarball:
    """A path or URL, the sha256 in hex that it has to have ("" for any, of a file only)."""

    source: str
    version: str
    sha256: str
    attempts: int
    pause: float
    seconds: float

    @property
    def remote(self) -> bool:
        """Whether it is had over a network."""
        return "://" in self.source

    def check(self) -> None:
        """Raise SourceError for what cannot be trusted or used."""
        refuse_password(self.source)
        if self.remote and not self.source.startswith(("https://", "http://")):
            raise SourceError(f"kubespray_source {self.source}: a tarball comes over https or http, or is a file")
        if self.remote and not self.sha256:
            raise SourceError(
                f"kubespray_source {self.source} is a tarball from a network: set kubespray_checksum to sha256: and "
                "the 64 digits that its makers publish for it"
            )

    def _same(self, found: str) -> str:
        if self.sha256 and found != self.sha256:
            raise SourceError(
                f"kubespray_source {self.source} has the checksum sha256:{found}, kubespray_checksum says "
                f"sha256:{self.sha256}: the file is torn or another. Get it again, or correct kubespray_checksum"
            )
        return found

    def of_file(self) -> str:
        """Give the sha256 of the file, which is the wanted one."""
        try:
            with Path(self.source).open("rb") as stream:
                digest = hashlib.sha256()
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise SourceError(f"kubespray_source {self.source} cannot be read: {error.strerror}") from error
        return self._same(digest.hexdigest())

    def download(self, target: Path) -> str:
        """Write what the URL gives to `target`; give its sha256, which is the wanted one."""
        digest = hashlib.sha256()
        size = 0
        try:
            with open_url(self.source, timeout=self.seconds, http_agent="meridian.geokube") as answer:
                announced = answer.headers.get("Content-Length")
                with target.open("wb") as stream:
                    while chunk := answer.read(CHUNK):
                        digest.update(chunk)
                        stream.write(chunk)
                        size += len(chunk)
        except HTTPError as error:
            kind = PassingError if error.code in _BUSY else SourceError
            raise kind(f"kubespray_source {self.source}: the server says {error.code} {error.reason}") from error
        except (URLError, OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise PassingError(f"kubespray_source {self.source} cannot be had: {reason}") from error
        if announced is not None and size < int(announced):
            raise PassingError(f"kubespray_source {self.source} broke off after {size} of {announced} bytes")
        return self._same(digest.hexdigest())

    def unpack(self, archive: Path, tree: Path) -> str:
        """Unpack the archive's one folder into `tree`; give the version of Kubespray that it holds."""
        argv = ["tar", "--extract", "--no-same-owner", "--strip-components=1", f"--directory={tree}"]
        done = subprocess.run([*argv, "--file", str(archive)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            words = done.stderr.strip().splitlines() or [f"tar ended with {done.returncode}"]
            raise SourceError(f"kubespray_source {self.source} cannot be unpacked: {words[0]}")
        return check_tree(tree, self.source, self.version)


def bring(tarball: Tarball, destination: Path, *, look_only: bool = False) -> tuple[bool, str, str]:
    """Have the tree at `destination`: whether it was brought now, the tarball's sha256 and the tree's version."""
    tarball.check()
    with alone(destination):
        wanted = tarball.sha256 if tarball.remote else tarball.of_file()
        record = destination / RECORD
        if record.is_file() and record.read_text(encoding="ascii").strip() == wanted:
            return False, wanted, check_tree(destination, tarball.source, tarball.version)
        if look_only:
            return True, wanted, tarball.version.removeprefix("v")
        with appearing(destination) as tree:
            archive = Path(tarball.source)
            if tarball.remote:
                archive = tree.with_name("archive")
                patiently(lambda: tarball.download(archive), tarball.attempts, tarball.pause)
            version = tarball.unpack(archive, tree)
            (tree / RECORD).write_text(f"{wanted}\n", encoding="ascii")
        return True, wanted, version
