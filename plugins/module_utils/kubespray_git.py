# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubespray's tree from a git repository, at the commit that its tag is known to be."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.meridian.geokube.plugins.module_utils.kubespray_source import (
    PassingError,
    SourceError,
    alone,
    appearing,
    check_tree,
    patiently,
    refuse_password,
)

NO_SUCH_REFERENCE = 2
# git's words for what another try does not change.
_FINAL = re.compile(
    r"not found|authentication failed|could not read (username|password)|permission denied|dubious ownership"
    r"|does not appear to be a git repository|does not exist|error: 40[0134]|host key verification failed",
    re.IGNORECASE,
)
_OF_ANOTHER_REPOSITORY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")


@dataclass(frozen=True)
class Repository:
    """A repository, the tag to take, the 40 digits of the commit that it has to be ("" for any)."""

    url: str
    tag: str
    commit: str
    attempts: int
    pause: float
    seconds: float

    def _git(self, arguments: Sequence[str], folder: Path | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
        environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"}
        environment |= {"GIT_HTTP_LOW_SPEED_LIMIT": "100", "GIT_HTTP_LOW_SPEED_TIME": "30"}
        environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20")
        argv = ["git", "-c", "advice.detachedHead=false", *arguments]
        try:
            done = subprocess.run(
                argv,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.seconds,
                check=False,
            )
        except FileNotFoundError as error:
            raise SourceError("there is no git command: install git, or set kubespray_source to a folder") from error
        except subprocess.TimeoutExpired as error:
            raise PassingError(f"{self.url}: git {arguments[0]} did not end in {self.seconds:g} s") from error
        if done.returncode == 0:
            return done.stdout
        words = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        if arguments[0] == "ls-remote" and done.returncode == NO_SUCH_REFERENCE and not words:
            raise SourceError(
                f"{self.url} has no tag {self.tag}: set kubespray_version to one of those that "
                f"'git ls-remote --tags {self.url}' lists"
            )
        told = [word for word in words if word.startswith(("fatal:", "error:", "remote:"))] or words[-3:]
        reason = " ".join(told[:3]).rstrip(".") or f"git ended with {done.returncode}"
        kind = SourceError if _FINAL.search(reason) else PassingError
        raise kind(
            f"kubespray_source {self.url} cannot be read: {reason}. Look at the address and the way there, or set "
            "kubespray_source to a folder, a tarball or another repository"
        )

    def tagged(self) -> str:
        """Ask the repository for the commit that the tag is; it is the commit that is wanted."""
        reference = f"refs/tags/{self.tag}"
        said = self._git(["ls-remote", "--exit-code", "--", self.url, reference, f"{reference}^{{}}"])
        found = {name: commit for commit, name in (line.split("\t") for line in said.splitlines())}
        # An annotated tag is an object of its own; the commit is named beside it.
        return self._same(found.get(f"{reference}^{{}}") or found[reference])

    def _same(self, commit: str) -> str:
        if self.commit and commit != self.commit:
            raise SourceError(
                f"the tag {self.tag} of {self.url} is commit {commit}, kubespray_commit says {self.commit}: the tag "
                "has moved or the repository is another. Compare the two; if this one is to be used, set "
                f"kubespray_commit to {commit}"
            )
        return commit

    def held(self, tree: Path) -> str:
        """Give the commit of a clone that is whole and unchanged; "" for any other folder."""
        if not (tree / ".git").is_dir():
            return ""
        try:
            commit = self._git(["rev-parse", "--verify", "HEAD"], tree).strip()
            changed = self._git(["status", "--porcelain", "--untracked-files=no"], tree)
        except SourceError:
            return ""
        return "" if changed or (self.commit and commit != self.commit) else commit

    def clone(self, tree: Path) -> str:
        """Clone the tag alone into an empty folder; give its commit."""
        arguments = ["clone", "--quiet", "--template=", "--depth=1", f"--branch={self.tag}", "--", self.url, str(tree)]
        self._git(arguments)
        return self._same(self._git(["rev-parse", "--verify", "HEAD"], tree).strip())


def bring(repository: Repository, destination: Path, *, look_only: bool = False) -> tuple[bool, str, str]:
    """Have the tree at `destination`: whether it was brought now, its commit and its version.

    A clone that is there, whole and unchanged is used without asking the repository.
    """
    refuse_password(repository.url)
    with alone(destination):
        commit = repository.held(destination)
        if commit:
            return False, commit, check_tree(destination, repository.url, repository.tag)
        if look_only:
            return True, repository.commit, repository.tag.removeprefix("v")
        patiently(repository.tagged, repository.attempts, repository.pause)

        def attempt() -> tuple[str, str]:
            with appearing(destination) as tree:
                commit = repository.clone(tree)
                return commit, check_tree(tree, repository.url, repository.tag)

        return True, *patiently(attempt, repository.attempts, repository.pause)
