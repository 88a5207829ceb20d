# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cloud says about one virtual machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The providers in the order in which they are shown.
PROVIDERS: tuple[str, ...] = ("aws", "gcp", "digitalocean", "yandex")


@dataclass(frozen=True, slots=True)
class Host:
    """One virtual machine, as its provider described it; text that the provider did not give is empty.

    C(account) is the AWS account number, the Compute Engine project or the Yandex folder. C(created) is ISO 8601.
    C(labels) holds labels and tags as one mapping; a tag without a value has the value "".
    """

    provider: str
    account: str
    instance_id: str
    name: str
    cloud_region: str
    zone: str
    running: bool
    state: str
    machine_type: str
    created: str
    public_ip: str
    private_ip: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def described(self) -> str:
        """Name the machine so that it can be found in its cloud's console."""
        account = f" of {self.account}" if self.account else ""
        return f"{self.name or self.instance_id} ({self.provider}{account}, {self.zone}, id {self.instance_id})"


def split_tag(tag: str) -> tuple[str, str]:
    """Read a tag of a cloud without tag values: C(key:value), or a bare key whose value is then ""."""
    key, _separator, value = tag.partition(":")
    return key, value


def merge_tags(tags: list[str]) -> dict[str, str]:
    """Give C(key:value) tags as one mapping; the values of a key that comes more than once are joined by commas."""
    merged: dict[str, str] = {}
    for tag in tags:
        key, value = split_tag(tag)
        merged[key] = f"{merged[key]},{value}" if merged.get(key) and value else merged.get(key, "") or value
    return merged
