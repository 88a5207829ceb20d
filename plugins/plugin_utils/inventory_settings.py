# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the inventory that are not one provider's, checked and typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import PROVIDERS
from ansible_collections.meridian.geokube.plugins.plugin_utils.names import REGION_NAME
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import (
    OptionError,
    did_you_mean,
    kind_of,
    text_list,
)

#: Names for C(hostname) that are not templates.
HOSTNAME_NAME = "name"
HOSTNAME_UNIQUE = "unique"


@dataclass(frozen=True)
class Settings:
    """What is collected and how it is arranged. C(deadline) and C(timeout) are seconds.

    C(regions) maps (provider, cloud region) to the region's name, in the user's order; it is None when every cloud
    region is a region of its own.
    """

    cluster: str
    cluster_label: str
    role_label: str
    regions: Mapping[tuple[str, str], str] | None
    providers: tuple[str, ...]
    home_region: str
    hostname: str
    bastion: Mapping[str, str] | str
    allow_partial: tuple[str, ...]
    deadline: float
    timeout: float
    retries: int

    def region_of(self, provider: str, cloud_region: str) -> str | None:
        """Give the region of a cloud region; None when C(regions) does not name it."""
        if self.regions is None:
            return f"{provider}-{cloud_region}"
        return self.regions.get((provider, cloud_region))

    def cloud_regions(self, provider: str) -> tuple[str, ...]:
        """Give the cloud regions of C(provider) that C(regions) names."""
        return tuple(cloud for (owner, cloud) in self.regions or {} if owner == provider)

    def bastion_of(self, region: str) -> str:
        """Give the bastion of a region, "" when there is none."""
        return self.bastion if isinstance(self.bastion, str) else self.bastion.get(region, "")


def read_settings(option: Callable[[str], Any]) -> Settings:
    """Read the settings through C(option(name)); raises OptionError that names the wrong one."""
    providers = _providers(option("providers"))
    regions = _regions(option("regions"), providers)
    home_region = str(option("home_region") or "")
    if home_region and regions is not None and home_region not in regions.values():
        raise OptionError(
            f"home_region {home_region!r} is not in regions{did_you_mean(home_region, list(regions.values()))}"
        )
    allow_partial = text_list("allow_partial", option("allow_partial") or [])
    for name in allow_partial:
        if name not in providers:
            raise OptionError(f"allow_partial names {name!r}, which is not in providers{did_you_mean(name, providers)}")
    return Settings(
        cluster=_label(option, "cluster"),
        cluster_label=_label(option, "cluster_label"),
        role_label=_label(option, "role_label"),
        regions=regions,
        providers=providers,
        home_region=home_region,
        hostname=str(option("hostname") or HOSTNAME_NAME),
        bastion=_bastion(option("bastion")),
        allow_partial=allow_partial,
        deadline=_positive(option, "deadline"),
        timeout=_positive(option, "timeout"),
        retries=_retries(option("retries")),
    )


def check_names(given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Raise OptionError for an option that the inventory does not have; Ansible itself would pass over it."""
    for name in given:
        if name not in options:
            raise OptionError(f"{name} is not an option{did_you_mean(str(name), options)}")


def _providers(given: Any) -> tuple[str, ...]:
    if not isinstance(given, Mapping) or not given:
        raise OptionError("providers must name at least one provider, each with its options, as in `digitalocean: {}`")
    for name, options in given.items():
        if name not in PROVIDERS:
            raise OptionError(f"providers.{name} is not a provider{did_you_mean(str(name), PROVIDERS)}")
        if options is not None and not isinstance(options, Mapping):
            raise OptionError(f"providers.{name} must be a mapping of options, not {kind_of(options)}")
    return tuple(name for name in PROVIDERS if name in given)


def _regions(given: Any, providers: tuple[str, ...]) -> dict[tuple[str, str], str] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given:
        raise OptionError("regions must map each region to its cloud regions, as in `au: {aws: [ap-southeast-2]}`")
    regions: dict[tuple[str, str], str] = {}
    for region, clouds in given.items():
        if not isinstance(region, str) or not REGION_NAME.fullmatch(region):
            raise OptionError(f"regions.{region} must be a name of lower-case letters, digits and dashes, 63 at most")
        if not isinstance(clouds, Mapping) or not clouds:
            raise OptionError(f"regions.{region} must name its cloud regions, as in `{{aws: [ap-southeast-2]}}`")
        for provider, names in clouds.items():
            if provider not in providers:
                raise OptionError(f"regions.{region} names {provider!r}, which is not in providers")
            for name in text_list(f"regions.{region}.{provider}", names):
                other = regions.setdefault((provider, name), region)
                if other != region:
                    raise OptionError(f"regions: {provider} {name} is in {other} and in {region}; leave it in one")
    for provider in providers:
        if not any(owner == provider for owner, _name in regions):
            raise OptionError(f"providers.{provider} has no cloud region in regions; add one, or remove the provider")
    return regions


def _bastion(given: Any) -> Mapping[str, str] | str:
    if isinstance(given, Mapping):
        return {str(region): str(bastion) for region, bastion in given.items()}
    return str(given or "")


def _label(option: Callable[[str], Any], name: str) -> str:
    value = option(name)
    if not isinstance(value, (str, int)) or not str(value):
        raise OptionError(f"{name} must be a text that is not empty, not {value!r}")
    return str(value)


def _positive(option: Callable[[str], Any], name: str) -> float:
    value = float(option(name))
    if value <= 0:
        raise OptionError(f"{name} must be more than 0 seconds, not {value:g}")
    return value


def _retries(value: Any) -> int:
    if int(value) < 0:
        raise OptionError(f"retries must be 0 or more, not {value}")
    return int(value)
