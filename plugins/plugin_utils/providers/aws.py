# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's instances.

botocore gives the credentials, the endpoints and the signature. The client of EC2 itself is not used: its model takes
0.2 s and 30 MB to load and 0.5 s to read a page of 1000 instances, which ElementTree reads in 0.1 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.http_client import HttpClient, HttpFault, HttpRequest
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import Option
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers.aws_credentials import (
    AwsCredentials,
    Identity,
    identify,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers.aws_xml import (
    read_error,
    read_instances,
    read_regions,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "aws"
#: Whether each region is a request of its own; else one list holds all regions.
ASKED_BY_REGION = True
API_VERSION = "2016-11-15"
#: Instances on a page, the API's limit.
PAGE = 1000
THROTTLES = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException", "RequestThrottled"})

OPTIONS = (
    Option("regions", "list"),
    Option("profile", environment=("AWS_PROFILE", "AWS_DEFAULT_PROFILE")),
    Option("access_key", environment=("AWS_ACCESS_KEY_ID",), unless=("profile",)),
    Option("secret_key", environment=("AWS_SECRET_ACCESS_KEY",), secret=True, unless=("profile", "access_key")),
    Option("session_token", environment=("AWS_SESSION_TOKEN",), secret=True, unless=("profile", "access_key")),
    Option("assume_role_arn"),
    Option("assume_role_external_id", secret=True),
    Option("endpoint", environment=("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL")),
    Option("sts_endpoint", environment=("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL")),
)


@dataclass(frozen=True)
class AwsConfig:
    """Which regions are listed and as whom; C(label) is the cluster's tag and its value."""

    credentials: AwsCredentials
    label: tuple[str, str]
    regions: tuple[str, ...] = ()
    endpoint: str = ""


def configure(values: Mapping[str, Any], label: tuple[str, str]) -> AwsConfig:
    """Build the configuration from the options' values; C(label) is the cluster's tag and its value."""
    return AwsConfig(
        credentials=AwsCredentials.read({**values, "sts_endpoint": _sts_endpoint(values)}),
        label=label,
        regions=values["regions"],
        endpoint=values["endpoint"].rstrip("/"),
    )


def _sts_endpoint(values: Mapping[str, Any]) -> str:
    """Give the place of STS, "" for AWS's own; an address without TLS is an emulator's, which serves it too."""
    shared = values["endpoint"] if values["endpoint"].startswith("http://") else ""
    return str(values["sts_endpoint"] or shared).rstrip("/")


def load() -> None:
    """Import what this provider needs."""
    import botocore.auth
    import botocore.awsrequest
    import botocore.session  # noqa: F401


def identity(config: AwsConfig) -> str:
    """Say what else than the configuration tells who is asking: the shared files that the chain reads."""
    return config.credentials.identity()


def hosts(config: AwsConfig, session: ProviderSession) -> list[Host]:
    """List the cluster's instances of every region; raises ProviderError when a list is not complete.

    Without regions the account's own enabled ones are asked.
    """
    found = session.call(
        config.credentials.described(),
        "credentials",
        lambda timeout: identify(config.credentials, timeout),
        _advise,
        counted=False,
    )
    ask = _Asker(config, session, found)
    regions = config.regions or tuple(ask.ask(found.default_region, {"Action": "DescribeRegions"}, read_regions))
    listed = session.map(ask.region, regions)
    return [host for region in listed for host in region]


class _Asker:
    """Sends the requests of one run."""

    def __init__(self, config: AwsConfig, session: ProviderSession, identity: Identity) -> None:
        self._config = config
        self._session = session
        self._identity = identity
        self._client = HttpClient(_explain)

    def region(self, region: str) -> list[Host]:
        """List one region to its last page."""
        key, value = self._config.label
        query = {
            "Action": "DescribeInstances",
            "MaxResults": str(PAGE),
            "Filter.1.Name": f"tag:{key}",
            "Filter.1.Value.1": value,
        }
        found: list[Host] = []
        seen: set[str] = set()
        while True:
            page, token = self.ask(region, query, lambda body: read_instances(body, region))
            found += page
            if not token:
                return found
            if token in seen:
                raise self._session.error(
                    self._place(region),
                    f"DescribeInstances: the page token came twice after {len(found)} instances",
                    "Run again; if it stays so, the list cannot be read: see https://health.aws.amazon.com.",
                )
            seen.add(token)
            query["NextToken"] = token

    def ask(self, region: str, query: Mapping[str, str], read: Callable[[bytes], Any]) -> Any:
        """Send one signed request, signed anew for each try, and give what C(read) makes of the answer."""
        url = self._config.endpoint or self._identity.endpoint(region)
        body = urlencode({**query, "Version": API_VERSION}).encode()

        def attempt(timeout: float) -> Any:
            headers = self._identity.signed(region, url, body)
            return self._client.send(HttpRequest("POST", url, headers, body), timeout, read)

        return self._session.call(self._place(region), query["Action"], attempt, _advise)

    def _place(self, region: str) -> str:
        return f"{self._config.credentials.described()}, region {region}"


def _explain(status: int, body: bytes) -> HttpFault:
    try:
        code, message = read_error(body)
    except ElementTree.ParseError:
        return HttpFault("")
    return HttpFault(f"{code}: {message}", retry=code in THROTTLES)


def _advise(status: int | None) -> str:
    if status == 401:
        return "Give valid credentials, and enable the region for the account or leave it out of regions."
    if status == 403:
        return "Give the identity ec2:DescribeInstances and ec2:DescribeRegions in the region."
    if status == 404:
        return "Check providers.aws.endpoint."
    if status == 429:
        return "Wait, or ask for a higher request limit of the account."
    if status is None:
        return "Check the credentials, the names in regions, the network and providers.aws.endpoint."
    return "Run again; if it stays so, see https://health.aws.amazon.com."
