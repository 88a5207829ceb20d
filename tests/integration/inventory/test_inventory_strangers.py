# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real command over servers that share nothing with the lab's: moto's own for EC2 and STS, a bare Yandex Cloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import grpc
import pytest
import yaml
from yandex.cloud.compute.v1 import instance_pb2, instance_service_pb2, instance_service_pb2_grpc
from yandex.cloud.iam.v1 import iam_token_service_pb2, iam_token_service_pb2_grpc

#: How long a server may take to start, seconds, on a busy machine.
START = 120
KEY = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
REGIONS = ("us-east-1", "sa-east-1")


class Instances(instance_service_pb2_grpc.InstanceServiceServicer):  # type: ignore[misc]
    """Lists two instances, one a page, whatever is asked, and knows one folder."""

    def List(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer one page."""
        if ("authorization", "Bearer a-token") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")
        if request.folder_id != "f0":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Folder {request.folder_id} not found")
        number = int(request.page_token or "1")
        instance = instance_pb2.Instance(
            id=f"fhm{number}",
            name=f"yc-{number}",
            folder_id="f0",
            zone_id="ru-central1-a",
            status=instance_pb2.Instance.RUNNING,
            labels={"geokube-cluster": "k1"},
        )
        interface = instance.network_interfaces.add()
        interface.primary_v4_address.address = f"10.0.0.{number}"
        interface.primary_v4_address.one_to_one_nat.address = f"203.0.113.{number}"
        following = str(number + 1) if number < 2 else ""
        return instance_service_pb2.ListInstancesResponse(instances=[instance], next_page_token=following)


class Tokens(iam_token_service_pb2_grpc.IamTokenServiceServicer):  # type: ignore[misc]
    """Gives a token for any signed request."""

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Answer with the token that Instances takes."""
        assert request.jwt.count(".") == 2
        return iam_token_service_pb2.CreateIamTokenResponse(iam_token="a-token")


@pytest.fixture(scope="module")
def yandex() -> Iterator[str]:
    """Serve the two services alone: no list of endpoints, no folders, no zones."""
    server = grpc.server(ThreadPoolExecutor(4))
    instance_service_pb2_grpc.add_InstanceServiceServicer_to_server(Instances(), server)
    iam_token_service_pb2_grpc.add_IamTokenServiceServicer_to_server(Tokens(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait(5)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve moto itself in a process of its own, with 12 running machines of the cluster over two regions."""
    log = tmp_path_factory.mktemp("moto") / "log"
    program = (
        "from moto.server import ThreadedMotoServer\n"
        "server = ThreadedMotoServer('127.0.0.1', 0, verbose=False); server.start()\n"
        "print(server.get_host_and_port()[1], flush=True); input()\n"
    )
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
    assert process.stdout is not None and process.stdin is not None
    line = process.stdout.readline()
    assert line.strip().isdigit(), log.read_text()
    endpoint = f"http://127.0.0.1:{line.strip()}"
    for region in REGIONS:
        run_machines(endpoint, region)
    yield endpoint
    process.stdin.close()
    process.wait(START)


def run_machines(endpoint: str, region: str) -> None:
    """Start machines with moto: some in one reservation, one stopped, one of another cluster."""
    ec2 = boto3.client("ec2", region_name=region, endpoint_url=endpoint, **KEY)
    for count, cluster in ((4, "k1"), (1, "k1"), (1, "k1"), (1, "k2"), (1, "k1")):
        tags = [{"Key": "geokube-cluster", "Value": cluster}, {"Key": "Kind", "Value": "a:b {{ 1 + 1 }}"}]
        answer = ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=count,
            MaxCount=count,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        last = answer["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[last])


def listed(venv: Path, folder: Path, providers: dict[str, Any], **environment: str) -> subprocess.CompletedProcess[str]:
    """List the machines as a user does, with nothing in the environment but this."""
    source = folder / "k1.geokube.yml"
    source.write_text(yaml.safe_dump({"plugin": "meridian.geokube.clouds", "cluster": "k1", "providers": providers}))
    usual = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(
        [venv / "bin" / "ansible-inventory", "-i", source, "--list"],
        cwd=folder,
        env={**usual, **environment},
        capture_output=True,
        text=True,
        timeout=START,
        check=False,
    )


def hostvars(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Give every host's variables."""
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["_meta"]["hostvars"]
    return found


AWS_KEY = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


def test_moto(venv: Path, tmp_path: Path, moto: str) -> None:
    """Every running machine of both regions; a role is taken at the same address."""
    providers: dict[str, Any] = {"aws": {"endpoint": moto, "regions": list(REGIONS)}}
    found = hostvars(listed(venv, tmp_path, providers, **AWS_KEY))
    assert sorted(host["geokube_cloud_region"] for host in found.values()) == ["sa-east-1"] * 6 + ["us-east-1"] * 6
    providers["aws"]["assume_role_arn"] = "arn:aws:iam::123456789012:role/inventory"
    assert hostvars(listed(venv, tmp_path, providers, **AWS_KEY)) == found


def test_moto_all_regions(venv: Path, tmp_path: Path, moto: str) -> None:
    """Without regions all that the account has are asked."""
    assert len(hostvars(listed(venv, tmp_path, {"aws": {"endpoint": moto}}, **AWS_KEY))) == 12


def test_yandex(venv: Path, tmp_path: Path, yandex: str) -> None:
    """Two pages of a server that filters nothing; the folder that it does not know is an error."""
    options = {"folders": ["f0"], "endpoint": yandex, "insecure_transport": True}
    found = hostvars(listed(venv, tmp_path, {"yandex": options}, YC_IAM_TOKEN="a-token"))
    assert {name: host["ansible_host"] for name, host in found.items()} == {
        "yc-1": "203.0.113.1",
        "yc-2": "203.0.113.2",
    }
    options |= {"folders": ["f0", "f9"], "endpoint": f"http://{yandex}"}
    done = listed(venv, tmp_path, {"yandex": options}, YC_IAM_TOKEN="a-token")
    assert done.returncode == 4
    assert "yandex, folder f9: HTTP 404: list instances: NOT_FOUND: Folder f9 not found" in done.stderr


def test_yandex_key_file(venv: Path, tmp_path: Path, yandex: str) -> None:
    """A service account's key is exchanged at the emulator's own address."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"id": "aje1", "service_account_id": "aje2", "private_key": private.decode()}))
    options = {"folders": "f0", "endpoint": yandex, "insecure_transport": True, "service_account_file": str(key)}
    assert len(hostvars(listed(venv, tmp_path, {"yandex": options}))) == 2
