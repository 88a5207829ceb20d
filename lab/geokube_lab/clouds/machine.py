# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual machine as a cloud knows it, before any cloud's own wording."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from geokube_lab.instances import instance_id

CLOUDS = ("aws", "gcp", "digitalocean", "yandex")
STATES = ("starting", "running", "stopping", "stopped", "deleted", "failed")

GCP_PROJECT = "geokube-lab"
YANDEX_FOLDER = "b1ggeokubelab0000000"
_ACCOUNTS = {"aws": "123456789012", "gcp": GCP_PROJECT, "digitalocean": "geokube-lab", "yandex": YANDEX_FOLDER}
_MACHINE_TYPES = {
    "aws": "t3.large",
    "gcp": "e2-standard-2",
    "digitalocean": "s-2vcpu-8gb",
    "yandex": "standard-v3",
}
_ID_FORMS = {
    "aws": re.compile(r"i-[0-9a-f]{17}"),
    "gcp": re.compile(r"[1-9][0-9]{0,18}"),
    "digitalocean": re.compile(r"[1-9][0-9]{0,15}"),
    "yandex": re.compile(r"[a-z][a-z0-9]{19}"),
}
# What each cloud accepts as the key and the value of a label (or tag); from the clouds' own API references.
_LABEL_FORMS = {
    "aws": (re.compile(r"(?!aws:).{1,128}", re.DOTALL), re.compile(r".{0,256}", re.DOTALL)),
    "gcp": (re.compile(r"[a-z][a-z0-9_-]{0,62}"), re.compile(r"[a-z0-9_-]{0,63}")),
    "yandex": (re.compile(r"[a-z][-_./\\@0-9a-z]{0,62}"), re.compile(r"[-_./\\@0-9a-z]{0,63}")),
}
_DIGITALOCEAN_TAG = re.compile(r"[A-Za-z0-9:_-]{1,255}")
# Google and Yandex refuse a comma in a label's value, so a list of roles is written with this between them there.
ROLE_SEPARATOR = "--"


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine to be listed by one of the emulators.

    ``labels`` are AWS tags, Compute Engine and Yandex labels, and DigitalOcean tags of the form ``key:value`` (a value
    with commas becomes one tag for each part). ``tags`` are Compute Engine's network tags and DigitalOcean's plain
    tags. ``account`` is the project or folder (an AWS emulator has one account only); empty means the lab's own.
    ``instance_id`` and ``machine_type`` are filled in when empty. ``created`` is a point in time with a zone.
    ``state`` is one of STATES.
    """

    name: str
    cloud: str
    cloud_region: str
    zone: str
    private_address: str | None
    public_address: str | None = None
    public_ipv6: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    instance_id: str = ""
    account: str = ""
    created: datetime = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    machine_type: str = ""
    state: str = "running"

    def __post_init__(self) -> None:
        if self.cloud not in CLOUDS:
            raise ValueError(f"machine {self.name}: cloud is {self.cloud!r}; it must be one of {', '.join(CLOUDS)}")
        if self.state not in STATES:
            raise ValueError(f"machine {self.name}: state is {self.state!r}; it must be one of {', '.join(STATES)}")
        if self.created.tzinfo is None:
            raise ValueError(f"machine {self.name}: created has no time zone")
        set_ = object.__setattr__
        if not self.account:
            set_(self, "account", _ACCOUNTS[self.cloud])
        if not self.machine_type:
            set_(self, "machine_type", _MACHINE_TYPES[self.cloud])
        if not self.instance_id:
            set_(self, "instance_id", instance_id(self.cloud, f"{self.account}/{self.zone}/{self.name}"))
        elif not _ID_FORMS[self.cloud].fullmatch(self.instance_id):
            raise ValueError(
                f"machine {self.name}: {self.cloud} gives no instance the id {self.instance_id!r}; "
                f"leave it empty or make it match {_ID_FORMS[self.cloud].pattern}"
            )
        self._check_labels()

    def _check_labels(self) -> None:
        if self.cloud == "digitalocean":
            for tag in self.digitalocean_tags():
                if not _DIGITALOCEAN_TAG.fullmatch(tag):
                    raise ValueError(f"machine {self.name}: digitalocean has no tag {tag!r} (letters, digits, : _ -)")
            return
        key_form, value_form = _LABEL_FORMS[self.cloud]
        for key, value in self.labels.items():
            if not key_form.fullmatch(key) or not value_form.fullmatch(value):
                raise ValueError(
                    f"machine {self.name}: {self.cloud} has no label {key!r}={value!r}; "
                    f"the key must match {key_form.pattern} and the value {value_form.pattern}"
                )

    def digitalocean_tags(self) -> list[str]:
        """The plain tags and the labels as ``key:value``, one tag for each part of a comma list."""
        pairs = [f"{key}:{part}" for key, value in self.labels.items() for part in value.split(",")]
        return [*self.tags, *pairs]

    def with_state(self, state: str) -> Machine:
        """The same machine in another state."""
        return replace(self, state=state)


def role_label(cloud: str, roles: tuple[str, ...]) -> str:
    """The value of the role label as the cloud's own rules let it be written."""
    return (ROLE_SEPARATOR if cloud in ("gcp", "yandex") else ",").join(roles)
