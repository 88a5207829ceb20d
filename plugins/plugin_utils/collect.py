# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks every provider at the same time, and gives all machines or every failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from ansible_collections.meridian.geokube.plugins.plugin_utils.deadline import Deadline, DeadlinePassed
from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import Settings
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import Failure, ProviderError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_registry import Provider
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession

#: Those that import little and need more round trips first.
STARTING_ORDER = ("digitalocean", "gcp", "yandex", "aws")
#: What takes the place of a secret in a message.
HIDDEN = "********"


@dataclass(frozen=True)
class Answer:
    """One provider's end: its machines, or its failures. C(seconds) is the wall time it took."""

    provider: str
    machines: tuple[Host, ...]
    failures: tuple[Failure, ...]
    requests: int
    seconds: float

    def summary(self) -> str:
        """Give the line that -v shows."""
        if self.failures:
            return f"{self.provider}: failed, {self.requests} requests, {self.seconds:.2f} s"
        running = sum(host.running for host in self.machines)
        rest = len(self.machines) - running
        resting = f" ({rest} not running left out)" if rest else ""
        return f"{self.provider}: {running} hosts{resting}, {self.requests} requests, {self.seconds:.2f} s"


def collect(providers: Sequence[Provider], settings: Settings) -> list[Answer]:
    """Ask all providers; the answers come in the order of C(providers), each whole or with its failures.

    Returns when the deadline has passed at the latest: a provider that is still busy then is left behind in its
    daemon threads, and what it was waiting for is its failure.
    """
    deadline = Deadline(settings.deadline)
    done: SimpleQueue[tuple[str, list[Host], Sequence[Failure], float]] = SimpleQueue()
    start = time.monotonic()
    sessions: dict[str, ProviderSession] = {}
    for provider in sorted(providers, key=lambda provider: STARTING_ORDER.index(provider.name)):
        session = ProviderSession(provider.name, deadline, settings.timeout, settings.retries)
        sessions[provider.name] = session
        # Imports hold each other up in threads; in turn, one provider's requests are under way during the next's.
        try:
            provider.load()
        except ProviderError as error:
            done.put((provider.name, [], error.failures, time.monotonic() - start))
            continue
        threading.Thread(
            target=_ask, args=(provider, session, done, start), name=f"geokube-{provider.name}", daemon=True
        ).start()
    answers: dict[str, Answer] = {}
    while len(answers) < len(providers):
        try:
            name, machines, failures, seconds = done.get(timeout=max(0.001, deadline.remaining()))
        except Empty:
            break
        answers[name] = Answer(name, tuple(machines), tuple(failures), sessions[name].requests, seconds)
    for name, session in sessions.items():
        if name not in answers:
            seconds = time.monotonic() - start
            answers[name] = Answer(name, (), (_late(session),), session.requests, seconds)
    return [answers[provider.name] for provider in providers]


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Give C(text) without any of the secrets; the longest goes first, as one may hold another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _ask(
    provider: Provider,
    session: ProviderSession,
    done: SimpleQueue[tuple[str, list[Host], Sequence[Failure], float]],
    start: float,
) -> None:
    machines: list[Host] = []
    failures: Sequence[Failure] = ()
    try:
        machines = provider.list_hosts(session)
    except ProviderError as error:
        failures = error.failures
    except DeadlinePassed:
        failures = (_late(session),)
    except Exception as error:  # the thread's last stop: whatever it is must end the run, not vanish with the thread
        message = f"the answer is not what the API promises: {type(error).__name__}: {error}"
        failures = (Failure(provider.name, "", message, "Report it with the output of -vvv."),)
    done.put((provider.name, machines, failures, time.monotonic() - start))


def _late(session: ProviderSession) -> Failure:
    waiting = session.waiting()
    told = f"; waiting for {'; '.join(waiting)}" if waiting else ""
    return Failure(
        session.provider,
        "",
        f"no complete answer within the deadline of {session.deadline.seconds:g} s{told}",
        "Check the network and the endpoint, or raise deadline.",
    )
