# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom Yandex Cloud is asked: an IAM token, a service account's key, or the machine's own account."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.http_client import (
    HttpClient,
    HttpFault,
    HttpRequest,
    read_json,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import OptionError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers.grpc_client import GrpcChannel

#: The audience of the signed request for a token, whatever endpoint it is sent to.
AUDIENCE = "https://iam.api.cloud.yandex.net/iam/v1/tokens"
IAM_ENDPOINT = "iam.api.cloud.yandex.net:443"
METADATA_TOKEN = "http://{address}/computeMetadata/v1/instance/service-accounts/default/token"
METADATA_ADDRESS = "169.254.169.254"
#: How long a signed request for a token may be used, seconds.
REQUEST_LIFE = 360


@dataclass(frozen=True)
class YandexCredentials:
    """An IAM token, else a service account's key (JSON), else the metadata of the machine this runs on."""

    iam_token: str = ""
    service_account_contents: str = ""
    iam_endpoint: str = IAM_ENDPOINT
    insecure_transport: bool = False

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> YandexCredentials:
        """Read the key file when one is named; raises OptionError for one that is not a key."""
        contents, file = values["service_account_contents"], values["service_account_file"]
        if contents and file and not values["iam_token"]:
            raise OptionError("providers.yandex: give one of service_account_file and service_account_contents")
        option = "providers.yandex.service_account_contents" if contents else "providers.yandex.service_account_file"
        if not values["iam_token"] and file:
            try:
                contents = Path(file).expanduser().read_text(encoding="utf-8")
            except OSError as error:
                raise OptionError(f"{option}: {file} cannot be read: {error.strerror}") from error
        if not values["iam_token"] and contents:
            _key(contents, option)
        return cls(
            iam_token=values["iam_token"],
            service_account_contents="" if values["iam_token"] else contents,
            iam_endpoint=values["iam_endpoint"] or IAM_ENDPOINT,
            insecure_transport=values["insecure_transport"],
        )


def iam_token(credentials: YandexCredentials, session: ProviderSession) -> str:
    """Give the token of this run; raises ProviderError when none is to be had."""
    if credentials.iam_token:
        return credentials.iam_token
    if credentials.service_account_contents:
        return _exchanged(credentials, session)
    return _of_this_machine(session)


def metadata_address() -> str:
    """Give the address of the metadata service; YC_METADATA_ADDR moves it, as in Yandex's own tools."""
    return os.environ.get("YC_METADATA_ADDR") or METADATA_ADDRESS


def _exchanged(credentials: YandexCredentials, session: ProviderSession) -> str:
    import jwt
    from yandex.cloud.iam.v1.iam_token_service_pb2 import CreateIamTokenRequest
    from yandex.cloud.iam.v1.iam_token_service_pb2_grpc import IamTokenServiceStub

    key = _key(credentials.service_account_contents, "providers.yandex.service_account_contents")
    place = f"service account {key['service_account_id']}"
    now = int(time.time())
    claims = {"aud": AUDIENCE, "iss": key["service_account_id"], "iat": now, "exp": now + REQUEST_LIFE}
    try:
        signed = jwt.encode(claims, key["private_key"], algorithm="PS256", headers={"kid": key["id"]})
    except (ValueError, TypeError, jwt.PyJWTError):
        # Not chained: the text could hold a part of the key.
        raise session.error(place, "the private key cannot be read", _advise(None)) from None
    with GrpcChannel(credentials.iam_endpoint, credentials.insecure_transport) as channel:
        stub = IamTokenServiceStub(channel.channel)
        answer = session.call(
            place,
            "create an IAM token",
            lambda timeout: GrpcChannel.call(stub.Create, CreateIamTokenRequest(jwt=signed), "", timeout),
            _advise,
        )
    return str(answer.iam_token)


def _of_this_machine(session: ProviderSession) -> str:
    """Ask the metadata service."""
    request = HttpRequest("GET", METADATA_TOKEN.format(address=metadata_address()), {"Metadata-Flavor": "Google"})
    client = HttpClient(lambda status, body: HttpFault(""))
    answer = session.call(
        "", "token of this machine's account", lambda timeout: client.send(request, timeout, read_json), _advise
    )
    if not answer.get("access_token"):
        raise session.error("", "the metadata service gave no token", _advise(None))
    return str(answer["access_token"])


def _key(contents: str, option: str) -> dict[str, str]:
    try:
        key = json.loads(contents)
    except ValueError:
        # Not chained: the text of a JSON error holds parts of what was read.
        raise OptionError(f"{option} is not JSON; give the key as `yc iam key create` writes it") from None
    if not isinstance(key, dict) or not {"id", "service_account_id", "private_key"} <= key.keys():
        raise OptionError(f"{option} is not an authorized key: it has no id, service_account_id or private_key")
    return key


def _advise(status: int | None) -> str:
    return "Give providers.yandex.iam_token (YC_IAM_TOKEN) or a service account's key, or check the one given."
