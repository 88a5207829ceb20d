# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendors' own clients, pointed at the emulators."""

from __future__ import annotations

from typing import Any

import boto3
import digitalocean
import pydo
import yandexcloud
from botocore.config import Config
from geokube_lab.clouds import Clouds, credentials
from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1
from google.oauth2.credentials import Credentials
from yandex.cloud.compute.v1.instance_service_pb2_grpc import InstanceServiceStub


def aws(
    clouds: Clouds,
    service: str = "ec2",
    region: str = "us-east-1",
    key: str = "",
    secret: str = "",
    timeout: float = 20,
) -> Any:
    """A boto3 client that does not try again."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=clouds.aws.endpoint,
        aws_access_key_id=key or credentials.AWS_ACCESS_KEY_ID,
        aws_secret_access_key=secret or key or credentials.AWS_SECRET_ACCESS_KEY,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=20, read_timeout=timeout),
    )


def gcp(clouds: Clouds, client: Any = compute_v1.InstancesClient, token: str | None = credentials.GCP_TOKEN) -> Any:
    """One of google-cloud-compute's clients; without a token it is anonymous."""
    identity = AnonymousCredentials() if token is None else Credentials(token)
    return client(credentials=identity, client_options={"api_endpoint": clouds.gcp.endpoint})


def digitalocean_manager(clouds: Clouds, token: str = credentials.DIGITALOCEAN_TOKEN) -> Any:
    """python-digitalocean's manager."""
    return digitalocean.Manager(token=token, end_point=f"{clouds.digitalocean.endpoint}/")


def pydo_client(clouds: Clouds, token: str = credentials.DIGITALOCEAN_TOKEN) -> Any:
    """pydo's client; each call needs enforce_https=False."""
    return pydo.Client(token, endpoint=clouds.digitalocean.endpoint.removesuffix("/v2"), retry_total=0)


def yandex(clouds: Clouds, stub: Any = InstanceServiceStub) -> Any:
    """One of yandexcloud's stubs."""
    return yandexcloud.SDK(iam_token="unused").client(stub, endpoint=clouds.yandex.endpoint, insecure=True)


def bearer(token: str = credentials.YANDEX_TOKEN) -> tuple[tuple[str, str], ...]:
    """The metadata that a call without TLS must bring itself."""
    return (("authorization", f"Bearer {token}"),)
