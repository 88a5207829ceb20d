# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom EC2 is asked: the chain of every AWS tool, through botocore."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import AttemptFailed
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import OptionError, digest_of_files

CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
#: What says as whom, beside the options: a role of a web identity, of a container.
CHAIN_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
SESSION_NAME = "geokube-inventory"


@dataclass(frozen=True)
class AwsCredentials:
    """What the user named; everything empty is AWS's own chain down to the machine's metadata."""

    profile: str = ""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""
    assume_role_arn: str = ""
    assume_role_external_id: str = ""
    sts_endpoint: str = ""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> AwsCredentials:
        """Check that a key has its secret and no profile beside it."""
        if bool(values["access_key"]) != bool(values["secret_key"]):
            raise OptionError(
                "providers.aws: access_key and secret_key go together; give both (or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY), or neither"
            )
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def identity(self) -> str:
        """Give a digest of the files and variables that AWS's chain reads beside the options."""
        files = [
            os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials",
            os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config",
        ]
        variables = {name: os.environ.get(name, "") for name in CHAIN_VARIABLES}
        return f"{variables} {digest_of_files(files)}"

    def described(self) -> str:
        """Name the identity without its secrets."""
        name = f"profile {self.profile}" if self.profile else ""
        if self.access_key:
            name = f"key {self.access_key}"
        if self.assume_role_arn:
            name = f"role {self.assume_role_arn}"
        return name or "default credentials"


class Identity:
    """Credentials that were found, ready to sign."""

    def __init__(self, session: Any, credentials: Any) -> None:
        from botocore.configprovider import ConfiguredEndpointProvider

        self._resolver = session.get_component("endpoint_resolver")
        configured = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), "ec2")
        self._configured = str(configured.provide() or "").rstrip("/")
        self._credentials = credentials
        #: The region that is asked for the names of the others.
        self.default_region = session.get_config_variable("region") or "us-east-1"

    def endpoint(self, region: str) -> str:
        """Give EC2's endpoint of a region: the profile's, where it names one, else AWS's own."""
        if self._configured:
            return self._configured
        resolved = self._resolver.construct_endpoint("ec2", region)
        host = resolved["hostname"] if resolved else f"ec2.{region}.amazonaws.com"
        return f"https://{host}"

    def signed(self, region: str, url: str, body: bytes) -> dict[str, str]:
        """Give the headers of a signed POST of C(body)."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("POST", url, headers={"Content-Type": CONTENT_TYPE}, data=body)
        SigV4Auth(self._credentials, "ec2", region).add_auth(request)
        return dict(request.headers.items())


def identify(wanted: AwsCredentials, timeout: float) -> Identity:
    """Find the credentials; raises AttemptFailed when there are none or a role is refused."""
    import botocore.exceptions
    import botocore.session

    try:
        session = botocore.session.Session(profile=wanted.profile if wanted.profile and not wanted.access_key else None)
        if wanted.access_key:
            session.set_credentials(wanted.access_key, wanted.secret_key, wanted.session_token or None)
        if wanted.assume_role_arn:
            _assume(session, wanted, timeout)
        credentials = session.get_credentials()
        if credentials is None:
            raise AttemptFailed("no credentials were found: no key, no profile, no role of this machine")
        return Identity(session, credentials.get_frozen_credentials())
    except botocore.exceptions.ClientError as error:
        answer = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        message = f"{answer['Error'].get('Code')}: {answer['Error'].get('Message')}"
        raise AttemptFailed(message, status=status, retry=bool(status and status >= 500)) from error
    except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError) as error:
        raise AttemptFailed(str(error), retry=True) from error
    except botocore.exceptions.BotoCoreError as error:
        raise AttemptFailed(str(error)) from error


def _assume(session: Any, wanted: AwsCredentials, timeout: float) -> None:
    """Exchange the session's credentials for those of the role."""
    from botocore.config import Config

    limits = Config(connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 1})
    region = session.get_config_variable("region") or "us-east-1"
    request = {"RoleArn": wanted.assume_role_arn, "RoleSessionName": SESSION_NAME}
    if wanted.assume_role_external_id:
        request["ExternalId"] = wanted.assume_role_external_id
    client = session.create_client("sts", region_name=region, config=limits, endpoint_url=wanted.sts_endpoint or None)
    role = client.assume_role(**request)["Credentials"]
    session.set_credentials(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
