# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom Compute Engine is asked: the kinds of google.cloud, each one token for the whole run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.http_client import pool_for
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import AttemptFailed
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import OptionError, digest_of_files
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession

AUTH_KINDS = ("application", "serviceaccount", "machineaccount", "accesstoken")
#: Only its scheme and its proxy count: tokens are asked for where the credentials say.
TOKEN_ADDRESS = "https://oauth2.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/compute.readonly"


@dataclass(frozen=True)
class GcpCredentials:
    """The kind of credentials and what that kind needs."""

    kind: str
    access_token: str = ""
    service_account_file: str = ""
    service_account_contents: str = ""
    service_account_email: str = "default"

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> GcpCredentials:
        """Take the kind that is named, else the one whose values are given, else the application default."""
        kind = values["auth_kind"]
        contents, file = values["service_account_contents"], values["service_account_file"]
        if not kind:
            kind = "accesstoken" if values["access_token"] else "serviceaccount" if contents or file else "application"
        if kind == "accesstoken" and not values["access_token"]:
            raise OptionError("providers.gcp.access_token is not set; set it, or GCP_ACCESS_TOKEN")
        if kind == "serviceaccount":
            if bool(contents) == bool(file):
                raise OptionError(
                    "providers.gcp: give one of service_account_file and service_account_contents, "
                    "or GCP_SERVICE_ACCOUNT_FILE or GCP_SERVICE_ACCOUNT_CONTENTS"
                )
            _account_info(contents, file)
        return cls(
            kind=kind,
            access_token=values["access_token"] if kind == "accesstoken" else "",
            service_account_file=file if kind == "serviceaccount" else "",
            service_account_contents=contents if kind == "serviceaccount" else "",
            service_account_email=values["service_account_email"] or "default",
        )

    def identity(self) -> str:
        """Give a digest of the file that the credentials are read from, "" where there is none."""
        if self.kind == "serviceaccount" and self.service_account_file:
            return digest_of_files([self.service_account_file])
        if self.kind == "application":
            folder = os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud"
            file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or f"{folder}/application_default_credentials.json"
            return digest_of_files([file])
        return ""


def token_source(credentials: GcpCredentials, session: ProviderSession) -> Callable[[], str]:
    """Get one access token and give a function that returns it; raises ProviderError when none is to be had."""
    if credentials.kind == "accesstoken":
        return lambda: credentials.access_token
    token = session.call("", f"token of the {credentials.kind}", lambda timeout: _fetch(credentials, timeout), _advise)
    return lambda: token


def _fetch(credentials: GcpCredentials, timeout: float) -> str:
    import google.auth
    import google.auth.exceptions
    import google.auth.transport.urllib3

    request = google.auth.transport.urllib3.Request(pool_for(TOKEN_ADDRESS))

    def limited(*args: Any, **kwargs: Any) -> Any:
        kwargs["timeout"] = timeout
        return request(*args, **kwargs)

    try:
        source = _credentials(credentials)
        source.refresh(limited)
    except google.auth.exceptions.TransportError as error:
        raise AttemptFailed(str(error), retry=True) from error
    except google.auth.exceptions.GoogleAuthError as error:
        raise AttemptFailed(str(error.args[0]), retry=bool(getattr(error, "retryable", False))) from error
    except (OSError, ValueError) as error:
        raise AttemptFailed(str(error)) from error
    return str(source.token)


def _credentials(credentials: GcpCredentials) -> Any:
    if credentials.kind == "serviceaccount":
        from google.oauth2 import service_account

        info = _account_info(credentials.service_account_contents, credentials.service_account_file)
        return service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
    if credentials.kind == "machineaccount":
        from google.auth import compute_engine

        return compute_engine.Credentials(credentials.service_account_email)
    import google.auth

    return google.auth.default(scopes=[SCOPE])[0]


def _account_info(contents: str, file: str) -> dict[str, Any]:
    """Read a service account's key; raises OptionError that names its option and never shows the key."""
    option = "providers.gcp.service_account_contents" if contents else "providers.gcp.service_account_file"
    try:
        info = json.loads(contents or Path(file).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{option}: {file} cannot be read: {error.strerror}") from error
    except ValueError:
        # Not chained: the text of a JSON error holds parts of what was read.
        raise OptionError(f"{option} is not JSON; give the key as the console exports it") from None
    if not isinstance(info, dict) or not {"client_email", "private_key", "token_uri"} <= info.keys():
        raise OptionError(f"{option} is not a service account's key: it has no client_email, private_key or token_uri")
    return info


def _advise(status: int | None) -> str:
    return "Check providers.gcp.auth_kind and the credentials that it names."
