#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the catalogue of the clouds' regions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: regions_info
short_description: Where the regions of the clouds are
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Gives, for every region of AWS, Google Cloud, DigitalOcean and Yandex Cloud, its city and coordinates, the region of
    Cloudflare's load balancing that holds its country, and the nearest region that Route53's latency records can name.
  - The catalogue comes with the collection; no cloud is asked.
attributes:
  check_mode:
    support: full
    description: Only reads.
  diff_mode:
    support: none
    description: Only reads.
options:
  provider:
    description: Give only the regions of this cloud.
    type: str
    choices: [aws, gcp, digitalocean, yandex]
  names:
    description:
      - Give only regions with these names, in this order.
      - A name that the catalogue does not have is an error.
    type: list
    elements: str
seealso:
  - plugin: meridian.geokube.clouds
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Where is São Paulo's region of Google
  meridian.geokube.regions_info:
    provider: gcp
    names: [southamerica-east1]
  register: place

- name: Tell the nearest region of Route53
  ansible.builtin.debug:
    msg: "{{ place.regions[0].route53_region }}"
"""

RETURN = r"""
regions:
  description: The regions, in the order of O(names), else of the catalogue.
  returned: success
  type: list
  elements: dict
  contains:
    provider:
      description: The cloud.
      type: str
      sample: gcp
    name:
      description: The cloud's own name of the region.
      type: str
      sample: southamerica-east1
    city:
      description: The city it is in, or the nearest large one.
      type: str
      sample: Sao Paulo
    country:
      description: The country, ISO 3166-1 alpha-2.
      type: str
      sample: BR
    latitude:
      description: The city's latitude, degrees.
      type: float
      sample: -23.55
    longitude:
      description: The city's longitude, degrees.
      type: float
      sample: -46.63
    cloudflare_region:
      description: The code of Cloudflare's load balancing for the place.
      type: str
      sample: SSAM
    route53_region:
      description: The nearest region of Route53's latency records by great circle.
      type: str
      sample: sa-east-1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils.region_catalogue import CloudRegion, regions

PROVIDERS = ("aws", "gcp", "digitalocean", "yandex")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "provider": {"type": "str", "choices": list(PROVIDERS)},
            "names": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    found = regions(module.params["provider"])
    names = module.params["names"]
    if names is not None:
        found = _named(module, found, names)
    module.exit_json(changed=False, regions=[region.record() for region in found])


def _named(module: AnsibleModule, known: list[CloudRegion], names: list[str]) -> list[CloudRegion]:
    unknown = sorted(set(names) - {region.name for region in known})
    if unknown:
        where = module.params["provider"] or "any cloud"
        module.fail_json(msg=f"names: {where} has no region {', '.join(unknown)}; leave names out to see all")
    return [region for name in names for region in known if region.name == name]


if __name__ == "__main__":
    main()
