# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS, driven by boto3."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from clouds_sdks import aws
from geokube_lab.clouds import Clouds, Machine, credentials
from geokube_lab.clouds.fleets import fleet, from_topology
from geokube_lab.topology import load


def instances(pages: Any) -> list[dict[str, Any]]:
    """The instances of all pages."""
    return [instance for page in pages for each in page["Reservations"] for instance in each["Instances"]]


def tags(instance: dict[str, Any]) -> dict[str, str]:
    """The tags as one mapping."""
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


def test_the_lab_has_exactly_its_machine_in_sydney(clouds: Clouds) -> None:
    node = load().regions["au"].nodes[0]
    clouds.load(from_topology(load()))
    (instance,) = instances([aws(clouds, region="ap-southeast-2").describe_instances()])
    assert instance["InstanceId"] == node.instance_id
    assert instance["PublicIpAddress"] == str(node.public_address)
    assert instance["PrivateIpAddress"] == str(node.private_address)
    assert instance["Placement"]["AvailabilityZone"] == node.zone
    assert instance["State"]["Name"] == "running"
    assert tags(instance) == {
        "Name": node.name,
        "geokube-cluster": "devfest",
        "geokube-role": "worker,ingress,database",
    }
    assert instances([aws(clouds, region="us-east-1").describe_instances()]) == []


def test_filters(clouds: Clouds) -> None:
    client = aws(clouds)
    chosen = [{"Name": "tag:geokube-cluster", "Values": ["k1"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    everywhere = instances([client.describe_instances(Filters=chosen)])
    expected = {machine.name for machine in clouds.aws.machines if machine.cloud_region == "us-east-1"}
    assert {tags(instance)["Name"] for instance in everywhere} == expected
    assert instances([client.describe_instances(Filters=[{"Name": "tag:geokube-cluster", "Values": ["k2"]}])]) == []
    assert instances([aws(clouds, region="sa-east-1").describe_instances(Filters=chosen)])


def test_pages_have_at_most_1000_and_join_without_gap(clouds: Clouds) -> None:
    machines = [machine for machine in fleet(1520, clouds=("aws",)) if machine.cloud_region == "us-east-1"]
    assert len(machines) == 1014
    clouds.load(machines)
    client = aws(clouds, timeout=60)
    pages = list(client.get_paginator("describe_instances").paginate())
    assert [len(page["Reservations"]) for page in pages] == [1000, 14]
    assert {tags(instance)["Name"] for instance in instances(pages)} == {machine.name for machine in machines}
    assert [call.page for call in clouds.aws.faults.calls()] == [1, 2]


@pytest.mark.parametrize("size", [4, 1001])
def test_a_page_size_that_ec2_refuses(clouds: Clouds, size: int) -> None:
    with pytest.raises(ClientError) as caught:
        aws(clouds).describe_instances(MaxResults=size)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_small_pages(clouds: Clouds) -> None:
    pages = list(aws(clouds).get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Reservations"]) for page in pages] == [5, 2]


def test_states_and_addresses(clouds: Clouds) -> None:
    def machine(name: str, **others: Any) -> Machine:
        number = len(name)
        return Machine(name, "aws", "us-east-1", "us-east-1a", f"10.9.0.{number}", **others)

    clouds.load(
        [
            machine("a", state="stopped"),
            machine("bb", state="starting"),
            machine("ccc", state="deleted"),
            machine("dddd", public_ipv6="2001:db8::4"),
        ]
    )
    found = {tags(each)["Name"]: each for each in instances([aws(clouds).describe_instances()])}
    states = {name: each["State"]["Name"] for name, each in found.items()}
    assert states == {"a": "stopped", "bb": "pending", "ccc": "terminated", "dddd": "running"}
    assert "PublicIpAddress" not in found["dddd"]
    assert found["dddd"]["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"] == "2001:db8::4"


@pytest.mark.parametrize(
    ("key", "secret", "status", "code"),
    [
        ("somebody", "else", 401, "AuthFailure"),
        (credentials.AWS_ACCESS_KEY_ID, "wrong", 401, "AuthFailure"),
        (credentials.AWS_GUEST_ACCESS_KEY_ID, "", 403, "UnauthorizedOperation"),
    ],
)
def test_refused(clouds: Clouds, key: str, secret: str, status: int, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        aws(clouds, key=key, secret=secret).describe_instances()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["Error"]["Code"] == code


def test_other_services_refuse_in_their_own_words(clouds: Clouds) -> None:
    with pytest.raises(ClientError) as caught:
        aws(clouds, "route53", key="somebody").list_hosted_zones()
    assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"
    with pytest.raises(ClientError) as caught:
        aws(clouds, "sts", secret="wrong").get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_an_assumed_role_is_let_in_with_its_session_token_only(clouds: Clouds) -> None:
    sts = aws(clouds, "sts")
    role = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/inventory", RoleSessionName="lab")["Credentials"]
    session = boto3.Session(role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"], "us-east-1")
    client = session.client("ec2", endpoint_url=clouds.aws.endpoint)
    assert len(instances([client.describe_instances()])) == 7
    session = boto3.Session(role["AccessKeyId"], role["SecretAccessKey"], "another", "us-east-1")
    with pytest.raises(ClientError) as caught:
        session.client("ec2", endpoint_url=clouds.aws.endpoint).describe_instances()
    assert caught.value.response["Error"]["Code"] == "AuthFailure"


def test_a_change_through_the_api_is_seen_at_once(clouds: Clouds) -> None:
    client = aws(clouds)
    (first, *_) = instances([client.describe_instances()])
    client.stop_instances(InstanceIds=[first["InstanceId"]])
    (again,) = instances([client.describe_instances(InstanceIds=[first["InstanceId"]])])
    assert again["State"]["Name"] == "stopped"
    clouds.load(clouds.aws.machines)
    (again,) = instances([client.describe_instances(InstanceIds=[first["InstanceId"]])])
    assert again["State"]["Name"] == "running"


def test_route53_records(clouds: Clouds) -> None:
    client = aws(clouds, "route53")
    zone = client.create_hosted_zone(Name="geokube.test", CallerReference="lab")["HostedZone"]["Id"]
    record = {
        "Name": "style.geokube.test",
        "Type": "A",
        "SetIdentifier": "au",
        "Region": "ap-southeast-2",
        "TTL": 60,
        "ResourceRecords": [{"Value": "198.51.100.10"}],
    }
    upsert, delete = ({"Changes": [{"Action": action, "ResourceRecordSet": record}]} for action in ("UPSERT", "DELETE"))
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=upsert)
    names = [each["Name"] for each in client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]
    assert "style.geokube.test." in names
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=delete)
    client.delete_hosted_zone(Id=zone)


def test_two_emulators_in_one_process_do_not_meet(clouds: Clouds) -> None:
    alone = Machine("alone", "aws", "us-east-1", "us-east-1a", "10.0.0.2")
    with Clouds([alone], only=["aws"]) as others:
        (instance,) = instances([aws(others).describe_instances()])
        assert tags(instance)["Name"] == "alone"
        assert len(instances([aws(clouds).describe_instances()])) == 7
        aws(others).terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert len(instances([aws(clouds).describe_instances()])) == 7
