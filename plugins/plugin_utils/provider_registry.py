# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four providers by name, each imported only when it is configured."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import Settings
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import Failure, ProviderError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import (
    Option,
    OptionError,
    read_options,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession

PACKAGE = "ansible_collections.meridian.geokube.plugins.plugin_utils.providers"
#: What a provider needs installed, to say so when it is not.
LIBRARIES: Mapping[str, str] = {
    "aws": "boto3",
    "gcp": "google-auth and urllib3",
    "digitalocean": "urllib3",
    "yandex": "yandexcloud",
}


@dataclass(frozen=True)
class Provider:
    """One configured provider: how to list its machines, and which texts must never be shown."""

    name: str
    config: Any
    secrets: tuple[str, ...]
    load: Callable[[], None]
    list_hosts: Callable[[ProviderSession], list[Host]]
    identity: Callable[[], str]


def options_of(name: str) -> tuple[Option, ...]:
    """Give the options of a provider."""
    options: tuple[Option, ...] = importlib.import_module(f"{PACKAGE}.{name}").OPTIONS
    return options


def configured(name: str, settings: Settings, given: Mapping[str, Any] | None) -> Provider:
    """Read a provider's options; raises OptionError that names the wrong one."""
    module = importlib.import_module(f"{PACKAGE}.{name}")
    values = read_options(name, module.OPTIONS, given or {})
    if settings.regions is not None:
        if values["regions"]:
            raise OptionError(f"providers.{name}.regions and regions both name cloud regions; give one of them")
        if module.ASKED_BY_REGION:
            values["regions"] = settings.cloud_regions(name)
    label = (settings.cluster_label, settings.cluster)
    config = module.configure(values, label)
    secret_values = {str(values[option.name]) for option in module.OPTIONS if option.secret and values[option.name]}
    return Provider(
        name,
        config,
        tuple(secret_values),
        load=lambda: _loaded(name, module.load),
        list_hosts=lambda session: _listed(module, config, label, session),
        identity=lambda: module.identity(config),
    )


def _loaded(name: str, load: Callable[[], None]) -> None:
    try:
        load()
    except ImportError as error:
        advice = f"Install {LIBRARIES[name]} for the Python that runs Ansible."
        raise ProviderError([Failure(name, "", f"a Python library is missing: {error}", advice)]) from error


def _listed(module: Any, config: Any, label: tuple[str, str], session: ProviderSession) -> list[Host]:
    key, value = label
    found: list[Host] = module.hosts(config, session)
    # The servers were asked for these only, where they can be; a server that ignores it must not add machines.
    ours = (host for host in found if value in host.labels.get(key, "").split(","))
    # A machine can be on two pages when others come or go meanwhile; it is one machine still.
    return list({(host.account, host.zone, host.instance_id): host for host in ours}.values())
