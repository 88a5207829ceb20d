# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the four clouds, as their own tools name them."""

from __future__ import annotations


class ModuleDocFragment:
    """The option C(providers) of the inventory."""

    DOCUMENTATION = r"""
options:
  providers:
    description:
      - The clouds that are asked, each with its options; an empty mapping takes everything from the environment.
      - Every option may be a template, such as V({{ lookup('ansible.builtin.env', 'MY_TOKEN') }}). An option that is
        not set is taken from the first of its environment variables that is.
      - The environment's credentials are not used when credentials of the same provider are set here.
    type: dict
    required: true
    suboptions:
      aws:
        description: Amazon EC2. Without credentials here, the usual chain is followed, down to the machine's own role.
        type: dict
        suboptions:
          regions:
            description: The regions to ask when O(regions) is not set; left out, those that the account has enabled.
            type: list
            elements: str
          profile:
            description: A profile of the shared configuration. Variables C(AWS_PROFILE), C(AWS_DEFAULT_PROFILE).
            type: str
          access_key:
            description: The identifier of an access key. Variable C(AWS_ACCESS_KEY_ID).
            type: str
          secret_key:
            description: The secret of the access key. Variable C(AWS_SECRET_ACCESS_KEY).
            type: str
          session_token:
            description: The session token of a temporary key. Variable C(AWS_SESSION_TOKEN).
            type: str
          assume_role_arn:
            description: A role to take with these credentials.
            type: str
          assume_role_external_id:
            description: The external identifier that the role asks for.
            type: str
          endpoint:
            description: Another address of the API. Variables C(AWS_ENDPOINT_URL_EC2), C(AWS_ENDPOINT_URL).
            type: str
          sts_endpoint:
            description:
              - Another address of STS, for O(providers.aws.assume_role_arn).
              - Left out, it is O(providers.aws.endpoint) where that is an emulator's (C(http://)), else AWS's own.
              - Variables C(AWS_ENDPOINT_URL_STS), C(AWS_ENDPOINT_URL).
            type: str
      gcp:
        description: Google Compute Engine.
        type: dict
        suboptions:
          projects:
            description: The projects to list. Variables C(GCP_PROJECT), C(GOOGLE_CLOUD_PROJECT).
            type: list
            elements: str
          regions:
            description: The regions to keep when O(regions) is not set; left out, all.
            type: list
            elements: str
          auth_kind:
            description:
              - The kind of credentials. Left out, it is the kind whose value is given, else V(application).
              - Variable C(GCP_AUTH_KIND).
            type: str
            choices: [application, serviceaccount, machineaccount, accesstoken]
          access_token:
            description: An access token. Variable C(GCP_ACCESS_TOKEN).
            type: str
          service_account_file:
            description: The file of a service account's key. Variable C(GCP_SERVICE_ACCOUNT_FILE).
            type: path
          service_account_contents:
            description: A service account's key itself, JSON. Variable C(GCP_SERVICE_ACCOUNT_CONTENTS).
            type: str
          service_account_email:
            description: The account of the machine to use. Variable C(GCP_SERVICE_ACCOUNT_EMAIL).
            type: str
          endpoint:
            description:
              - Another address of the API, with C(/compute/v1) or without.
              - Variable C(CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE).
            type: str
      digitalocean:
        description: DigitalOcean's droplets.
        type: dict
        suboptions:
          api_token:
            description:
              - The token.
              - Variables C(DIGITALOCEAN_ACCESS_TOKEN), C(DIGITALOCEAN_TOKEN), C(DO_API_TOKEN).
            type: str
          regions:
            description: The regions to keep when O(regions) is not set; left out, all.
            type: list
            elements: str
          endpoint:
            description: Another address of the API, with C(/v2). Variable C(DIGITALOCEAN_END_POINT).
            type: str
      yandex:
        description: Yandex Compute Cloud. Without credentials, the account of the machine that this runs on is used.
        type: dict
        suboptions:
          folders:
            description: The folders to list. Variable C(YC_FOLDER_ID).
            type: list
            elements: str
          regions:
            description: The regions to keep when O(regions) is not set; left out, all.
            type: list
            elements: str
          iam_token:
            description: An IAM token. Variable C(YC_IAM_TOKEN).
            type: str
          service_account_file:
            description: The file of a service account's key. Variable C(YC_SERVICE_ACCOUNT_KEY_FILE).
            type: path
          service_account_contents:
            description: A service account's key itself, JSON. Variable C(YC_SERVICE_ACCOUNT_KEY).
            type: str
          endpoint:
            description: Another address of Compute, C(host:port). Variable C(YC_COMPUTE_ENDPOINT).
            type: str
          iam_endpoint:
            description:
              - Another address of the IAM service, C(host:port). Variable C(YC_IAM_ENDPOINT).
              - Left out with O(providers.yandex.insecure_transport), it is O(providers.yandex.endpoint).
            type: str
          insecure_transport:
            description: Whether to talk without TLS, for emulators on this machine.
            type: bool
            default: false
"""
