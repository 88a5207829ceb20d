# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine's instances, over REST: importing google-cloud-compute costs 1.35 s and 148 MB."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.http_client import (
    HttpClient,
    HttpFault,
    HttpRequest,
    read_json,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import Failure, ProviderError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import Option, OptionError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers.gcp_credentials import (
    AUTH_KINDS,
    GcpCredentials,
    token_source,
)

NAME = "gcp"
#: Whether each region is a request of its own; else one list holds all regions.
ASKED_BY_REGION = False
#: Instances on a page, the API's limit.
PAGE = 500
#: Only what a Host is made of: a whole instance is ten times as large.
FIELDS = (
    "nextPageToken,warning,unreachables,items/*/warning,items/*/instances(id,name,zone,status,machineType,"
    "creationTimestamp,labels,tags/items,networkInterfaces(networkIP,ipv6Address,accessConfigs(natIP,externalIpv6),"
    "ipv6AccessConfigs/externalIpv6))"
)
LIMIT_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
#: What a filter may hold without quotes: it reads as no number and no word of the filter's own.
PLAIN_VALUE = re.compile(r"(?!(?:and|or|not|true|false|null|eq|ne)$)[a-z][a-z0-9_-]*")
#: With one of these in the inventory file, the environment's credentials are another's.
GIVEN = ("access_token", "service_account_file", "service_account_contents")

OPTIONS = (
    Option("projects", "list", environment=("GCP_PROJECT", "GOOGLE_CLOUD_PROJECT")),
    Option("regions", "list"),
    Option("auth_kind", environment=("GCP_AUTH_KIND",), choices=AUTH_KINDS, unless=GIVEN),
    Option("access_token", environment=("GCP_ACCESS_TOKEN",), secret=True, unless=GIVEN),
    Option("service_account_file", environment=("GCP_SERVICE_ACCOUNT_FILE",), unless=GIVEN),
    Option("service_account_contents", environment=("GCP_SERVICE_ACCOUNT_CONTENTS",), secret=True, unless=GIVEN),
    Option("service_account_email", environment=("GCP_SERVICE_ACCOUNT_EMAIL",)),
    Option("endpoint", environment=("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE",)),
)


@dataclass(frozen=True)
class GcpConfig:
    """Which projects are listed and as whom; C(label) is the cluster's label and its value."""

    projects: tuple[str, ...]
    credentials: GcpCredentials
    label: tuple[str, str]
    regions: tuple[str, ...] = ()
    endpoint: str = "https://compute.googleapis.com"

    @property
    def access_token(self) -> str:
        """The token given by the user, a secret."""
        return self.credentials.access_token

    @property
    def filter(self) -> str:
        """The API's own filter for the cluster's machines; "" when the label is none that Compute Engine allows."""
        key, value = self.label
        if LABEL_KEY.fullmatch(key) and LABEL_VALUE.fullmatch(value):
            return f"labels.{key}={value}" if PLAIN_VALUE.fullmatch(value) else f'labels.{key}="{value}"'
        return ""


def configure(values: Mapping[str, Any], label: tuple[str, str]) -> GcpConfig:
    """Build the configuration from the options' values; C(label) is the cluster's label and its value."""
    if not values["projects"]:
        raise OptionError("providers.gcp.projects names no project; name at least one, or set GCP_PROJECT")
    return GcpConfig(
        projects=values["projects"],
        credentials=GcpCredentials.read(values),
        label=label,
        regions=values["regions"],
        # Google's own tools name the address with the path of the API, the client libraries without.
        endpoint=(values["endpoint"] or GcpConfig.endpoint).rstrip("/").removesuffix("/compute/v1"),
    )


def load() -> None:
    """Import what this provider needs."""
    import urllib3  # noqa: F401


def identity(config: GcpConfig) -> str:
    """Say what else than the configuration tells who is asking: the files that the credentials are read from."""
    return config.credentials.identity()


def hosts(config: GcpConfig, session: ProviderSession) -> list[Host]:
    """List the cluster's instances of every project; raises ProviderError when a list is not complete."""
    token = token_source(config.credentials, session)
    client = HttpClient(_explain)
    listed = session.map(lambda project: _project(config, session, client, token(), project), config.projects)
    return [host for project in listed for host in project]


def _project(config: GcpConfig, session: ProviderSession, client: HttpClient, token: str, project: str) -> list[Host]:
    place = f"project {project}"
    found: list[Host] = []
    seen: set[str] = set()
    page_token = ""
    while True:
        answer = _page(config, session, client, token, project, page_token)
        _check_whole(session, place, answer)
        for name, scope in (answer.get("items") or {}).items():
            found += (_host(project, name, instance) for instance in scope.get("instances") or ())
        page_token = answer.get("nextPageToken") or ""
        if not page_token:
            return [host for host in found if not config.regions or host.cloud_region in config.regions]
        if page_token in seen:
            raise session.error(
                place,
                f"GET aggregated instances: the page token came twice after {len(found)} instances",
                "Run again; if it stays so, the list cannot be read: see https://status.cloud.google.com.",
            )
        seen.add(page_token)


def _page(
    config: GcpConfig, session: ProviderSession, client: HttpClient, token: str, project: str, page_token: str
) -> dict[str, Any]:
    query = {"maxResults": str(PAGE), "fields": FIELDS, "returnPartialSuccess": "true"}
    if config.filter:
        query["filter"] = config.filter
    if page_token:
        query["pageToken"] = page_token
    request = HttpRequest(
        "GET",
        f"{config.endpoint}/compute/v1/projects/{quote(project)}/aggregated/instances?{urlencode(query)}",
        {"Authorization": f"Bearer {token}", "Accept": "application/json"},
    )
    return session.call(
        f"project {project}",
        "GET aggregated instances",
        lambda timeout: client.send(request, timeout, read_json),
        _advise,
    )


def _check_whole(session: ProviderSession, place: str, answer: Mapping[str, Any]) -> None:
    """Raise ProviderError that names every scope the API could not reach."""
    problems = {str(scope).rpartition("/")[2]: "unreachable" for scope in answer.get("unreachables") or ()}
    scopes: Iterable[tuple[str, Mapping[str, Any]]] = (answer.get("items") or {}).items()
    for name, scope in [("the whole project", answer), *scopes]:
        warning = scope.get("warning") or {}
        if warning.get("code") not in {None, "NO_RESULTS_ON_PAGE"}:
            problems[name.rpartition("/")[2]] = f"{warning['code']}: {warning.get('message') or 'no message'}"
    if problems:
        raise ProviderError(
            [
                Failure(
                    session.provider,
                    f"{place}, {scope}",
                    f"GET aggregated instances: {problem}",
                    "Run again when the zone answers, or name gcp in allow_partial.",
                )
                for scope, problem in sorted(problems.items())
            ]
        )


def _host(project: str, scope: str, instance: Mapping[str, Any]) -> Host:
    zone = str(instance.get("zone") or scope).rpartition("/")[2]
    labels = {str(tag): "" for tag in (instance.get("tags") or {}).get("items") or ()}
    labels.update(instance.get("labels") or {})
    interfaces = instance.get("networkInterfaces") or []
    return Host(
        provider=NAME,
        account=project,
        instance_id=str(instance["id"]),
        name=str(instance["name"]),
        cloud_region=zone.rpartition("-")[0],
        zone=zone,
        running=instance.get("status") == "RUNNING",
        state=str(instance.get("status") or "").lower(),
        machine_type=str(instance.get("machineType") or "").rpartition("/")[2],
        created=str(instance.get("creationTimestamp") or ""),
        public_ip=_public_address(interfaces),
        private_ip=next(
            (
                str(interface[key])
                for key in ("networkIP", "ipv6Address")
                for interface in interfaces
                if interface.get(key)
            ),
            "",
        ),
        labels=labels,
    )


def _public_address(interfaces: list[dict[str, Any]]) -> str:
    """Give the first public address, IPv4 before IPv6."""
    for kind, key in (("accessConfigs", "natIP"), ("ipv6AccessConfigs", "externalIpv6")):
        for interface in interfaces:
            for config in interface.get(kind) or ():
                if config.get(key):
                    return str(config[key])
    return ""


def _explain(status: int, body: bytes) -> HttpFault:
    try:
        error = json.loads(body)["error"]
        reasons = {str(entry.get("reason")) for entry in error.get("errors") or ()}
        return HttpFault(str(error["message"]), retry=status == 403 and bool(reasons & LIMIT_REASONS))
    except (ValueError, KeyError, TypeError, AttributeError):
        return HttpFault("")


def _advise(status: int | None) -> str:
    if status == 401:
        return "Renew the credentials (providers.gcp.auth_kind and what it names)."
    if status == 403:
        return "Give the account the role roles/compute.viewer on the project, and enable the Compute Engine API."
    if status == 404:
        return "Check the name in providers.gcp.projects."
    if status == 429:
        return "Wait, or ask for a higher quota of read requests."
    if status is None:
        return "Check the network and providers.gcp.endpoint, or raise timeout."
    return "Run again; if it stays so, see https://status.cloud.google.com."
