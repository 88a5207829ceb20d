# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine's own TLS listener shows, and whom it takes."""

from __future__ import annotations

import socket
import ssl
import time

PAUSE = 0.25
TIMEOUT = 5.0


def own_address() -> str:
    """The machine's own address towards the world; its first one where there is no way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            # Nothing is sent: the kernel only chooses the address that it would send from.
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return socket.gethostbyname(socket.gethostname())
        address: str = asking.getsockname()[0]
    return address


def shortcoming(address: str, port: int, name: str, certificate: str, closed: bool) -> str:
    """Ask the listener once without a client certificate; give what is not as wanted, or nothing.

    :arg certificate: the PEM that it shall show; empty when any will do.
    :arg closed: whether it shall refuse who has no client certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    where = f"{address}:{port}"
    try:
        plain = socket.create_connection((address, port), TIMEOUT)
        with plain, context.wrap_socket(plain, server_hostname=name) as secure:
            shown = secure.getpeercert(binary_form=True)
            if certificate and shown != ssl.PEM_cert_to_DER_cert(_first(certificate)):
                return f"{where} shows another certificate than the one that it was given"
            taken = _taken(secure, name)
    except OSError as error:
        return f"{where} does not answer: {error}"
    if taken and closed:
        return f"{where} takes clients without a certificate"
    return "" if taken or closed else f"{where} refuses clients without a certificate"


def _taken(secure: ssl.SSLSocket, name: str) -> bool:
    try:
        # Since TLS 1.3 a client learns only with the first answer whether it was taken.
        secure.sendall(f"HEAD / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        return bool(secure.recv(1))
    except ssl.SSLError:
        return False


def _first(chain: str) -> str:
    end = "-----END CERTIFICATE-----"
    return chain.partition(end)[0].strip() + f"\n{end}\n"


def wait_until_right(address: str, port: int, name: str, certificate: str, closed: bool, seconds: float) -> str:
    """Ask until all is as wanted; give what is still not when the time is over."""
    end = time.monotonic() + seconds
    while True:
        found = shortcoming(address, port, name, certificate, closed)
        if not found or time.monotonic() >= end:
            return found
        time.sleep(PAUSE)
