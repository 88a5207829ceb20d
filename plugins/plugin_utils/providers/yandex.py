# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yandex Compute's instances, over the gRPC stubs of yandexcloud.

The SDK's own client would ask for the list of endpoints first and has no time limit; the stubs need neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import Option, OptionError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers import grpc_client
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers.grpc_client import GrpcChannel
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers.yandex_credentials import (
    YandexCredentials,
    iam_token,
    metadata_address,
)

NAME = "yandex"
#: Whether each region is a request of its own; else one list holds all regions.
ASKED_BY_REGION = False
#: Instances on a page, the API's limit.
PAGE = 1000
#: With one of these in the inventory file, the environment's credentials are another's.
GIVEN = ("iam_token", "service_account_file", "service_account_contents")

OPTIONS = (
    Option("folders", "list", environment=("YC_FOLDER_ID",)),
    Option("regions", "list"),
    Option("iam_token", environment=("YC_IAM_TOKEN",), secret=True, unless=GIVEN),
    Option("service_account_file", environment=("YC_SERVICE_ACCOUNT_KEY_FILE",), unless=GIVEN),
    Option("service_account_contents", environment=("YC_SERVICE_ACCOUNT_KEY",), secret=True, unless=GIVEN),
    Option("endpoint", environment=("YC_COMPUTE_ENDPOINT",)),
    Option("iam_endpoint", environment=("YC_IAM_ENDPOINT",)),
    Option("insecure_transport", "bool"),
)


@dataclass(frozen=True)
class YandexConfig:
    """Which folders are listed and as whom; C(label) is the cluster's label and its value."""

    folders: tuple[str, ...]
    credentials: YandexCredentials
    label: tuple[str, str]
    regions: tuple[str, ...] = ()
    endpoint: str = "compute.api.cloud.yandex.net:443"
    insecure_transport: bool = False


def configure(values: Mapping[str, Any], label: tuple[str, str]) -> YandexConfig:
    """Build the configuration from the options' values; C(label) is the cluster's label and its value."""
    if not values["folders"]:
        raise OptionError("providers.yandex.folders names no folder; name at least one, or set YC_FOLDER_ID")
    return YandexConfig(
        folders=values["folders"],
        credentials=YandexCredentials.read({**values, "iam_endpoint": _iam_endpoint(values)}),
        label=label,
        regions=values["regions"],
        endpoint=_place(values["endpoint"]) or YandexConfig.endpoint,
        insecure_transport=values["insecure_transport"],
    )


def _iam_endpoint(values: Mapping[str, Any]) -> str:
    """Give the place of the IAM service; one without TLS is an emulator's, whose services share a port."""
    shared = values["endpoint"] if values["insecure_transport"] else ""
    return _place(values["iam_endpoint"] or shared)


def _place(endpoint: str) -> str:
    """Give C(host:port); gRPC would take a scheme for a way of finding names."""
    return endpoint.rstrip("/").removeprefix("https://").removeprefix("http://")


def load() -> None:
    """Import what this provider needs."""
    grpc_client.load()
    import yandex.cloud.compute.v1.instance_service_pb2_grpc  # noqa: F401


def identity(config: YandexConfig) -> str:
    """Say what else than the configuration tells who is asking: where the machine's own account is asked for."""
    return metadata_address()


def hosts(config: YandexConfig, session: ProviderSession) -> list[Host]:
    """List the cluster's instances of every folder; raises ProviderError when a list is not complete."""
    from yandex.cloud.compute.v1.instance_service_pb2_grpc import InstanceServiceStub

    token = iam_token(config.credentials, session)
    with GrpcChannel(config.endpoint, config.insecure_transport) as channel:
        stub = InstanceServiceStub(channel.channel)
        listed = session.map(lambda folder: _folder(config, session, stub, token, folder), config.folders)
    return [host for folder in listed for host in folder]


def _folder(config: YandexConfig, session: ProviderSession, stub: Any, token: str, folder: str) -> list[Host]:
    from yandex.cloud.compute.v1.instance_pb2 import Instance
    from yandex.cloud.compute.v1.instance_service_pb2 import ListInstancesRequest

    place = f"folder {folder}"
    states = {number: name.lower() for name, number in Instance.Status.items()}
    found: list[Host] = []
    seen: set[str] = set()
    page_token = ""
    while True:
        request = ListInstancesRequest(folder_id=folder, page_size=PAGE, page_token=page_token)
        answer = session.call(
            place,
            "list instances",
            lambda timeout, request=request: GrpcChannel.call(stub.List, request, token, timeout),  # type: ignore[misc]
            _advise,
        )
        found += (_host(instance, states) for instance in answer.instances)
        page_token = answer.next_page_token
        if not page_token:
            return [host for host in found if not config.regions or host.cloud_region in config.regions]
        if page_token in seen:
            raise session.error(
                place,
                f"list instances: the page token came twice after {len(found)} instances",
                "Run again; if it stays so, the list cannot be read: see https://status.yandex.cloud.",
            )
        seen.add(page_token)


def _host(instance: Any, states: Mapping[int, str]) -> Host:
    state = states.get(instance.status, str(instance.status))
    return Host(
        provider=NAME,
        account=instance.folder_id,
        instance_id=instance.id,
        name=instance.name,
        cloud_region=instance.zone_id.rpartition("-")[0],
        zone=instance.zone_id,
        running=state == "running",
        state=state,
        machine_type=instance.platform_id,
        created=instance.created_at.ToJsonString() if instance.HasField("created_at") else "",
        public_ip=_public_address(instance.network_interfaces),
        private_ip=next(
            (
                address.address
                for interface in instance.network_interfaces
                for address in (interface.primary_v4_address, interface.primary_v6_address)
                if address.address
            ),
            "",
        ),
        labels=dict(instance.labels),
    )


def _public_address(interfaces: Sequence[Any]) -> str:
    """Give the first public address, IPv4 before IPv6."""
    for version in ("primary_v4_address", "primary_v6_address"):
        for interface in interfaces:
            address = getattr(interface, version).one_to_one_nat.address
            if address:
                return str(address)
    return next((str(entry.primary_v6_address.address) for entry in interfaces if entry.primary_v6_address.address), "")


def _advise(status: int | None) -> str:
    if status == 401:
        return "Renew YC_IAM_TOKEN (it lives 12 hours at most), or give a service account's key."
    if status == 403:
        return "Give the account the role compute.viewer on the folder."
    if status == 404:
        return "Check the identifier in providers.yandex.folders."
    if status == 429:
        return "Wait, or ask for a higher quota of requests."
    if status is None:
        return "Check the network and providers.yandex.endpoint, or raise timeout."
    return "Run again; if it stays so, see https://status.yandex.cloud."
