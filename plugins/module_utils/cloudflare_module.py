# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all Cloudflare modules share: common options, the token, and how errors are told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_guards import Guards
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_traffic import Reconciler
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

BASE_URL = "https://api.cloudflare.com/client/v4"


def common_options() -> dict[str, Any]:
    """The options of the doc fragment `cloudflare`."""
    return {
        "api_token": {"type": "str", "no_log": True},
        "api_token_file": {"type": "path", "no_log": False},
        "base_url": {"type": "str", "default": BASE_URL, "fallback": (env_fallback, ["CLOUDFLARE_BASE_URL"])},
        "ca_path": {"type": "path"},
        "rate_limit_wait": {"type": "int", "default": 330},
        "request_timeout": {"type": "int", "default": 30},
        "validate_certs": {"type": "bool", "default": True},
    }


def account_option() -> dict[str, Any]:
    """The option of modules that work in one account."""
    return {
        "account_id": {"type": "str", "required": True, "fallback": (env_fallback, ["CLOUDFLARE_ACCOUNT_ID"])},
    }


def change_options() -> dict[str, Any]:
    """The options of modules that change what users are served by."""
    return {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": False},
    }


def drain_options() -> dict[str, Any]:
    """The options of modules that take origins or pools away."""
    return {
        "drain_seconds": {"type": "int", "default": 15},
        "wait_healthy": {"type": "int", "default": 0},
    }


def token_of(module: AnsibleModule) -> str:
    """The token from the option, the file or the environment; fails the module when there is none."""
    token, source = module.params["api_token"], "api_token"
    if not token and module.params["api_token_file"]:
        source = f"api_token_file {module.params['api_token_file']}"
        try:
            token = Path(module.params["api_token_file"]).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            module.fail_json(msg=f"{source} cannot be read: {error}")
    elif not token:
        token, source = os.environ.get("CLOUDFLARE_API_TOKEN", "").strip(), "CLOUDFLARE_API_TOKEN"
    if not token:
        module.fail_json(
            msg=f"{source} is empty: give api_token, api_token_file or the environment variable CLOUDFLARE_API_TOKEN"
        )
    module.no_log_values.add(token)
    return str(token)


def client_of(module: AnsibleModule) -> Client:
    """A client as the common options want it."""
    params = module.params
    return Client(
        token_of(module),
        params["base_url"],
        timeout=params["request_timeout"],
        rate_limit_wait=params["rate_limit_wait"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        warn=module.warn,
    )


def guarded(module: AnsibleModule, work: Callable[[Client], dict[str, Any]]) -> None:
    """Run the work and leave with its result, or with one clear message."""
    client = None
    try:
        client = client_of(module)
        result = work(client)
    except CloudflareError as error:
        requests = {} if client is None else {"requests": client.requests}
        module.fail_json(msg=error.message, status=error.status, codes=list(error.codes), **requests)
    finally:
        if client is not None:
            client.close()
    module.exit_json(**result)


def reconcile(module: AnsibleModule, client: Client, wishes: Wishes) -> tuple[Account, dict[str, Any]]:
    """Bring the account to what is wanted; gives it and what every module returns."""
    account = Account(client, module.params["account_id"] or "", module.params.get("zone"))
    guards = Guards(account, wishes.force, module.check_mode)
    run = Reconciler(account, wishes, guards, module.warn)
    report = run.present() if module.params["state"] == "present" else run.absent()
    result = {
        "changed": bool(report.actions),
        "actions": report.actions,
        "diff": {"before": report.before, "after": report.after},
        "requests": client.requests,
        "rate_limit_waited": client.waited,
    }
    return account, result
