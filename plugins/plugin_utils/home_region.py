# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which region the control plane is in when no label says which machine it is."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import Settings


class HomeUnknown(ValueError):
    """It cannot be told which region is the home; the text says why and what to do."""


def home_of(settings: Settings, filled: Collection[str], missing: Collection[str]) -> str | None:
    """Give the home region, None when a cloud that is missing could hold it.

    C(filled) are the regions that have a machine, C(missing) the providers that did not answer. Another machine than
    last time must not become the control plane only because its cloud is away: that would be a second cluster.
    Raises HomeUnknown for an option that names no region with a machine.
    """
    named = list(dict.fromkeys((settings.regions or {}).values())) or sorted(filled)
    home = settings.home_region or next(iter(named), "")
    if _may_be_missing(settings, home, missing):
        return None
    if settings.home_region and home not in filled:
        raise HomeUnknown(
            f"home_region {home!r} has no running machine, and no machine is labelled control-plane; "
            f"regions with machines are {', '.join(sorted(filled)) or 'none'}"
        )
    return home


def _may_be_missing(settings: Settings, home: str, missing: Collection[str]) -> bool:
    if settings.regions is not None:
        return any(name == home and owner in missing for (owner, _cloud), name in settings.regions.items())
    if settings.home_region:
        return any(home.startswith(f"{provider}-") for provider in missing)
    # Without regions the first by name is the home, and those of a missing cloud may stand before it.
    return any(not home or f"{provider}-" < home for provider in missing)
