# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's key, its request and certificate, and what its Traefik reads of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .node_commands import NodeError, has_tool, must, run
from .origin_folder import Folder

KEY, REQUEST, CERTIFICATE, AUTHORITY, SHOWN = "origin.key", "origin.csr", "origin.crt", "clients.crt", "origin.yml"
# Of two files that set the same options Traefik takes the first in the order of their names: "cluster" comes later.
CLIENTS = "clients.yml"

_SHOWN = """tls:
  certificates:
    - keyFile: {mount}/{key}
      certFile: |
{certificate}
"""
_CLIENTS = """tls:
  options:
    default:
      minVersion: VersionTLS{version}
      clientAuth:
        clientAuthType: RequireAndVerifyClientCert
        caFiles:
          - |
{authority}
"""


def need_openssl() -> None:
    """Raises NodeError where the machine cannot make keys."""
    if not has_tool("openssl"):
        raise NodeError("openssl is not installed here: install the package openssl, with which the key is made")


def public_key(kind: str, pem: str) -> str:
    """The public key of a private key (`pkey`), request (`req`) or certificate (`x509`); empty when it is none."""
    wanted = ["-pubout"] if kind == "pkey" else ["-pubkey", "-noout"]
    code, out, _error = run(["openssl", kind, *wanted], pem) if pem.strip() else (1, "", "")
    return out.strip() if code == 0 else ""


def names_of(request: str) -> set[str]:
    """The DNS names that a request asks for."""
    return set(re.findall(r"DNS:([^,\s]+)", must(["openssl", "req", "-noout", "-text"], request)))


def own_key(folder: Folder, owner: int) -> str:
    """Make the key unless it is there; give its public key, empty when check mode would make it."""
    key = folder.text(KEY)
    public = public_key("pkey", key)
    if not public:
        key = "(made here)"
        if not folder.check_mode:
            key = must(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
            public = public_key("pkey", key)
    folder.hold_secret(KEY, key, owner)
    return public


def own_request(folder: Folder, key: str, names: Sequence[str]) -> str:
    """Make the request for these names unless it is there; give it, empty when check mode would make it."""
    request = folder.text(REQUEST)
    if key and public_key("req", request) == key and names_of(request) == set(names):
        return request
    request = "" if folder.check_mode else _request(folder, names)
    folder.hold(REQUEST, request or "(made here)")
    return request


def _request(folder: Folder, names: Sequence[str]) -> str:
    alternatives = "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)
    key = str(folder.path / KEY)
    return must(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={names[0][:64]}", "-addext", alternatives])


def show(folder: Folder, certificate: str, mount: str) -> None:
    """Have Traefik, which sees the folder as `mount`, show the certificate; none of its own when it is empty."""
    folder.hold(CERTIFICATE, certificate)
    text = _SHOWN.format(mount=mount, key=KEY, certificate=_indented(certificate, 8)) if certificate else ""
    folder.hold(SHOWN, text)


def demand(folder: Folder, authority: str, minimum_version: str) -> None:
    """Have Traefik take only clients with a certificate of this authority; anybody when it is empty."""
    version = minimum_version.replace(".", "")
    folder.hold(AUTHORITY, authority)
    text = _CLIENTS.format(version=version, authority=_indented(authority, 12)) if authority else ""
    folder.hold(CLIENTS, text)


def pem(text: str) -> str:
    """The text with one line end at its end; empty when it is blank. Raises NodeError for what is no certificate."""
    stripped = text.strip()
    if stripped and not public_key("x509", stripped):
        raise NodeError("it is no certificate in PEM: give the text that begins with -----BEGIN CERTIFICATE-----")
    return f"{stripped}\n" if stripped else ""


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line for line in text.strip().splitlines())
