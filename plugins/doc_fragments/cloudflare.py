# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the Cloudflare modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module, of those that work in an account, and of those that change something."""

    DOCUMENTATION = r"""
options:
  api_token:
    description:
      - API token. Left out, O(api_token_file) or the environment variable E(CLOUDFLARE_API_TOKEN) gives it.
      - A user's token and an account's token both do.
    type: str
  api_token_file:
    description:
      - File that holds the API token and nothing else.
    type: path
  base_url:
    description:
      - Address of the API. Left out, the environment variable E(CLOUDFLARE_BASE_URL) is used if it is set.
      - An address with C(http) is taken for the loopback only.
    type: str
    default: https://api.cloudflare.com/client/v4
  ca_path:
    description:
      - File of the certificate authorities to trust in place of the system's.
    type: path
  rate_limit_wait:
    description:
      - For how many seconds in all to wait when the API says that its rate limit is reached. A block lasts 300 seconds.
    type: int
    default: 330
  request_timeout:
    description:
      - Seconds that one request may take.
    type: int
    default: 30
  validate_certs:
    description:
      - Whether the API's certificate is checked.
    type: bool
    default: true
attributes:
  action_group:
    support: full
    description: Use C(group/meridian.geokube.cloudflare) in C(module_defaults) to set options for all these modules.
    membership:
      - meridian.geokube.cloudflare
notes:
  - Asks again by itself after failures on the API's side. A request that creates something is only sent again after a
    look whether it had worked.
"""

    ACCOUNT = r"""
options:
  account_id:
    description:
      - Identifier of the account. Left out, the environment variable E(CLOUDFLARE_ACCOUNT_ID) gives it.
    type: str
    required: true
"""

    CHANGE = r"""
options:
  state:
    description:
      - Whether it shall be there.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - Whether to do what is refused otherwise. That is to touch another owner's objects, to delete what is in use, and
        to take away the last healthy origin or pool.
    type: bool
    default: false
"""
