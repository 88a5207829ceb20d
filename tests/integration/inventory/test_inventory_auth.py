# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom each cloud is asked: every way its users know, from the file and from the environment; no secret shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from geokube_lab.clouds import credentials
from inventory_runner import Done, Runner

PARSER_ERROR = 4
NOBODY = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "GCP_AUTH_KIND": "",
    "GCP_ACCESS_TOKEN": "",
    "DIGITALOCEAN_ACCESS_TOKEN": "",
    "YC_IAM_TOKEN": "",
}


def ask(
    runner: Runner, provider: str, given: dict[str, Any], environment: dict[str, str] | None = None, **extra: Any
) -> Done:
    """Ask one cloud with these options and only these variables."""
    assert runner.clouds is not None
    options = {**runner.clouds.providers()[provider], **given}
    return runner.run(
        "--list", "-vvvv", providers={provider: options}, environment={**NOBODY, **(environment or {})}, **extra
    )


def assert_found(done: Done, *secrets: str) -> None:
    """All ten machines are there, and no secret is anywhere."""
    assert done.code == 0, done.stderr
    assert len(done.hostvars) == 10
    assert_hidden(done, *secrets)


def assert_hidden(done: Done, *secrets: str) -> None:
    """No secret is anywhere in the output."""
    for secret in secrets:
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN", "DO_API_TOKEN"])
def test_digitalocean_environment(runner: Runner, name: str) -> None:
    """Each of the three names that DigitalOcean's tools use."""
    done = ask(runner, "digitalocean", {}, {name: credentials.DIGITALOCEAN_TOKEN})
    assert_found(done, credentials.DIGITALOCEAN_TOKEN)


def test_digitalocean_option_beats_environment(runner: Runner) -> None:
    """What is written counts more than what is around, and may be a template."""
    template = {"api_token": "{{ lookup('ansible.builtin.env', 'MY_TOKEN') }}"}
    environment = {"MY_TOKEN": credentials.DIGITALOCEAN_TOKEN, "DIGITALOCEAN_ACCESS_TOKEN": "wrong-token-9a7b"}
    assert_found(ask(runner, "digitalocean", template, environment), credentials.DIGITALOCEAN_TOKEN)


def test_vault(runner: Runner, tmp_path: Path) -> None:
    """A secret that the file holds encrypted."""
    from ansible.constants import DEFAULT_VAULT_ID_MATCH
    from ansible.parsing.vault import VaultLib, VaultSecret

    assert runner.clouds is not None
    password = tmp_path / "password"
    password.write_text("open-sesame")
    secrets = [(DEFAULT_VAULT_ID_MATCH, VaultSecret(b"open-sesame"))]
    encrypted = VaultLib(secrets).encrypt(credentials.DIGITALOCEAN_TOKEN).decode().replace("\n", "\n      ")
    source = tmp_path / "vault.geokube.yml"
    source.write_text(
        "plugin: meridian.geokube.clouds\ncluster: k1\nproviders:\n  digitalocean:\n"
        f"    endpoint: {runner.clouds.digitalocean.endpoint}\n    api_token: !vault |\n      {encrypted}\n"
    )
    arguments = ("--list", "-vvvv", "--vault-password-file", str(password))
    assert_found(runner.run(*arguments, source=source, environment=NOBODY), credentials.DIGITALOCEAN_TOKEN)


def test_digitalocean_nothing(runner: Runner) -> None:
    """Without a token the option and the variable are named."""
    done = ask(runner, "digitalocean", {})
    assert done.code == PARSER_ERROR
    assert "providers.digitalocean.api_token is not set; set it, or DIGITALOCEAN_ACCESS_TOKEN" in done.stderr


@pytest.mark.parametrize(
    ("provider", "options"),
    [
        ("aws", {"access_key": "AKIDWRONG", "secret_key": "wrong-secret-9a7b"}),
        ("gcp", {"access_token": "wrong-secret-9a7b"}),
        ("digitalocean", {"api_token": "wrong-secret-9a7b"}),
        ("yandex", {"iam_token": "wrong-secret-9a7b"}),
    ],
)
def test_wrong_secret(runner: Runner, provider: str, options: dict[str, str]) -> None:
    """A wrong secret is a 401 that does not show it, at the highest verbosity either."""
    done = ask(runner, provider, options)
    assert done.code == PARSER_ERROR
    assert done.hosts == 0
    assert "HTTP 401: " in done.stderr
    assert_hidden(done, "wrong-secret-9a7b")


@pytest.mark.parametrize("provider", ["gcp", "digitalocean", "yandex"])
def test_secret_in_the_answer(runner: Runner, provider: str) -> None:
    """An API that repeats the token in its error does not get it shown."""
    from geokube_lab.clouds import Fault

    assert runner.clouds is not None
    secret = {
        "gcp": credentials.GCP_TOKEN,
        "digitalocean": credentials.DIGITALOCEAN_TOKEN,
        "yandex": credentials.YANDEX_TOKEN,
    }[provider]
    runner.clouds.emulators[provider].faults.add(Fault("status", status=403, message=f"no, {secret}, not you"))
    option = {"gcp": "access_token", "digitalocean": "api_token", "yandex": "iam_token"}[provider]
    done = ask(runner, provider, {option: secret})
    assert done.code == PARSER_ERROR
    assert "no, ********, not you" in done.stderr
    assert_hidden(done, secret)


def test_aws_options(runner: Runner) -> None:
    """A key in the file."""
    key = {"access_key": credentials.AWS_ACCESS_KEY_ID, "secret_key": credentials.AWS_SECRET_ACCESS_KEY}
    assert_found(ask(runner, "aws", key, {"AWS_ACCESS_KEY_ID": "wrong", "AWS_SECRET_ACCESS_KEY": "wrong"}))


@pytest.mark.parametrize("provider", ["gcp", "digitalocean", "yandex"])
def test_token_in_the_wrong_place(runner: Runner, provider: str) -> None:
    """A token where the options belong is not shown by the error about it."""
    done = runner.run(providers={provider: "a-token-in-the-wrong-place"})
    assert done.code == PARSER_ERROR
    assert f"providers.{provider} must be a mapping of options, not text" in done.stderr
    assert_hidden(done, "a-token-in-the-wrong-place")


def test_aws_half_a_key(runner: Runner) -> None:
    """A key without its secret is an error before any request."""
    done = ask(runner, "aws", {"access_key": "AKIDHALF"})
    assert done.code == PARSER_ERROR
    assert "providers.aws: access_key and secret_key go together" in done.stderr


@pytest.mark.parametrize("by_option", [True, False])
def test_aws_profile(runner: Runner, tmp_path: Path, by_option: bool) -> None:
    """A profile of the shared file, by the option (which beats a key in the environment) and by AWS_PROFILE."""
    shared = tmp_path / "credentials"
    shared.write_text(
        f"[prod]\naws_access_key_id = {credentials.AWS_ACCESS_KEY_ID}\n"
        f"aws_secret_access_key = {credentials.AWS_SECRET_ACCESS_KEY}\n"
    )
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(shared)}
    if by_option:
        environment |= {"AWS_ACCESS_KEY_ID": "AKIDWRONG", "AWS_SECRET_ACCESS_KEY": "wrong"}
    else:
        environment |= {"AWS_PROFILE": "prod"}
    assert_found(ask(runner, "aws", {"profile": "prod"} if by_option else {}, environment))


def test_aws_endpoint_of_a_profile(runner: Runner, tmp_path: Path) -> None:
    """A profile may name the address of EC2, as for every AWS tool."""
    assert runner.clouds is not None
    config = tmp_path / "config"
    config.write_text(
        f"[profile prod]\nservices = here\naws_access_key_id = {credentials.AWS_ACCESS_KEY_ID}\n"
        f"aws_secret_access_key = {credentials.AWS_SECRET_ACCESS_KEY}\n"
        f"[services here]\nec2 =\n  endpoint_url = {runner.clouds.aws.endpoint}\n"
    )
    assert_found(ask(runner, "aws", {"profile": "prod", "endpoint": ""}, {"AWS_CONFIG_FILE": str(config)}))


def test_aws_no_such_profile(runner: Runner) -> None:
    """A profile that does not exist is named."""
    done = ask(runner, "aws", {"profile": "no-such-profile"})
    assert done.code == PARSER_ERROR
    assert "aws, profile no-such-profile: credentials: " in done.stderr


def test_aws_nothing(runner: Runner) -> None:
    """Without any credentials it says so."""
    done = ask(runner, "aws", {})
    assert done.code == PARSER_ERROR
    assert "aws, default credentials: credentials: no credentials were found" in done.stderr


def test_aws_assume_role(runner: Runner) -> None:
    """A role taken by way of STS."""
    assert runner.clouds is not None
    key = {
        "access_key": credentials.AWS_ACCESS_KEY_ID,
        "secret_key": credentials.AWS_SECRET_ACCESS_KEY,
        "assume_role_arn": "arn:aws:iam::123456789012:role/inventory",
    }
    done = ask(runner, "aws", key, {"AWS_ENDPOINT_URL_STS": runner.clouds.aws.endpoint})
    assert_found(done)
    assert runner.clouds.aws.faults.by_operation()["AssumeRole"] == 1


@pytest.mark.parametrize(
    "how", ["file option", "contents option", "contents as mapping", "file variable", "contents variable"]
)
def test_gcp_service_account(runner: Runner, tmp_path: Path, how: str) -> None:
    """A service account's key, every way of giving it."""
    assert runner.clouds is not None
    key = runner.clouds.gcp.identity.service_account()
    file = tmp_path / "key.json"
    file.write_text(json.dumps(key))
    options: dict[str, Any] = {}
    environment: dict[str, str] = {}
    match how:
        case "file option":
            options = {"service_account_file": str(file)}
            environment = {"GCP_AUTH_KIND": "accesstoken", "GCP_ACCESS_TOKEN": "wrong"}
        case "contents option":
            options = {"service_account_contents": json.dumps(key)}
        case "contents as mapping":
            options = {"service_account_contents": key}
        case "file variable":
            environment = {"GCP_AUTH_KIND": "serviceaccount", "GCP_SERVICE_ACCOUNT_FILE": str(file)}
        case "contents variable":
            environment = {"GCP_SERVICE_ACCOUNT_CONTENTS": json.dumps(key)}
    done = ask(runner, "gcp", options, environment)
    assert_found(done, "PRIVATE KEY", key["private_key"].splitlines()[1])


def test_gcp_token_alone(runner: Runner) -> None:
    """A token in the environment says its kind itself; the address may come from where gcloud has it."""
    assert runner.clouds is not None
    address = f"{runner.clouds.gcp.endpoint}/compute/v1/"
    environment = {"GCP_ACCESS_TOKEN": credentials.GCP_TOKEN, "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": address}
    assert_found(ask(runner, "gcp", {"endpoint": ""}, environment), credentials.GCP_TOKEN)


def test_gcp_application_default(runner: Runner, tmp_path: Path) -> None:
    """GOOGLE_APPLICATION_CREDENTIALS, with nothing else set."""
    assert runner.clouds is not None
    file = tmp_path / "adc.json"
    file.write_text(json.dumps(runner.clouds.gcp.identity.service_account()))
    assert_found(ask(runner, "gcp", {}, {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}))


def test_gcp_machine_account(runner: Runner) -> None:
    """The account of the machine that this runs on, by the metadata service."""
    assert runner.clouds is not None
    host = runner.clouds.gcp.endpoint.removeprefix("http://")
    environment = {"GCP_AUTH_KIND": "machineaccount", "GCE_METADATA_HOST": host, "GCE_METADATA_IP": host}
    assert_found(ask(runner, "gcp", {}, environment))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("{not json", "providers.gcp.service_account_contents is not JSON"),
        ('{"private_key": "hush"}', "providers.gcp.service_account_contents is not a service account's key"),
    ],
)
def test_gcp_broken_key(runner: Runner, contents: str, message: str) -> None:
    """A key that is none is named by its option, and not shown."""
    done = ask(runner, "gcp", {"auth_kind": "serviceaccount", "service_account_contents": contents})
    assert done.code == PARSER_ERROR
    assert message in done.stderr
    assert_hidden(done, "hush", "{not json")


def test_gcp_key_file_missing(runner: Runner) -> None:
    """A file that is not there is named."""
    done = ask(runner, "gcp", {"service_account_file": "/no/such/key.json"})
    assert done.code == PARSER_ERROR
    assert "providers.gcp.service_account_file: /no/such/key.json cannot be read: No such file" in done.stderr


@pytest.mark.parametrize("how", ["file option", "contents option", "file variable", "contents variable"])
def test_yandex_service_account(runner: Runner, tmp_path: Path, how: str) -> None:
    """An authorized key, every way of giving it."""
    assert runner.clouds is not None
    key = runner.clouds.yandex.identity.service_account_key()
    file = tmp_path / "key.json"
    file.write_text(json.dumps(key))
    options: dict[str, Any] = {"iam_endpoint": runner.clouds.yandex.endpoint}
    environment: dict[str, str] = {}
    match how:
        case "file option":
            options |= {"service_account_file": str(file)}
            environment = {"YC_IAM_TOKEN": "wrong"}
        case "contents option":
            options |= {"service_account_contents": json.dumps(key)}
        case "file variable":
            environment = {"YC_SERVICE_ACCOUNT_KEY_FILE": str(file)}
        case "contents variable":
            environment = {"YC_SERVICE_ACCOUNT_KEY": json.dumps(key)}
    assert_found(ask(runner, "yandex", options, environment), key["private_key"].splitlines()[1])


def test_yandex_key_of_another(runner: Runner) -> None:
    """A key that the service does not know is refused with the account's name; a key that is none by its option."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    assert runner.clouds is not None
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = {**runner.clouds.yandex.identity.service_account_key(), "private_key": private.decode()}
    options = {"iam_endpoint": runner.clouds.yandex.endpoint, "service_account_contents": json.dumps(key)}
    done = ask(runner, "yandex", options)
    assert done.code == PARSER_ERROR
    assert f"yandex, service account {key['service_account_id']}: HTTP 401: create an IAM token: " in done.stderr
    done = ask(runner, "yandex", {**options, "service_account_contents": '{"private_key": "hush"}'})
    assert "providers.yandex.service_account_contents is not an authorized key" in done.stderr
    done = ask(runner, "yandex", {**options, "service_account_contents": json.dumps({**key, "private_key": "hush"})})
    assert "the private key cannot be read" in done.stderr
    assert_hidden(done, "hush")


def test_yandex_metadata(runner: Runner) -> None:
    """Without credentials the machine's own account is used; the metadata service is where YC_METADATA_ADDR says."""
    assert runner.clouds is not None
    assert_found(ask(runner, "yandex", {}, {"YC_METADATA_ADDR": runner.clouds.yandex.metadata.address}))
    done = ask(runner, "yandex", {}, {"YC_METADATA_ADDR": "127.0.0.1:9"}, timeout=1, retries=0)
    assert done.code == PARSER_ERROR
    assert "yandex: token of this machine's account: the connection failed: Connection refused" in done.stderr
