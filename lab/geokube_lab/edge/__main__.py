# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m geokube_lab.edge`: the API on the host's loopback and the edge in every region's point of presence."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import signal
import ssl
import sys
from pathlib import Path

from aiohttp import web

from geokube_lab.edge import access
from geokube_lab.edge.api import Api, application
from geokube_lab.edge.authority import Authority, write_private
from geokube_lab.edge.certificates import Issuer, deploy, revoked
from geokube_lab.edge.faults import Faults
from geokube_lab.edge.health import Health
from geokube_lab.edge.netns import listen
from geokube_lab.edge.places import from_topology, is_down
from geokube_lab.edge.proxy import Proxy
from geokube_lab.edge.resources import Limits
from geokube_lab.edge.store import Record, Store
from geokube_lab.edge.upstream import Upstream
from geokube_lab.errors import LabError
from geokube_lab.topology import Topology, load

DATA = Path("/var/lib/geokube-lab")
ACCOUNT = "0123456789abcdef0123456789abcdef"
ZONE = "fedcba9876543210fedcba9876543210"
TOKEN = "geokube-lab-cloudflare-token"
log = logging.getLogger("geokube.edge")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m geokube_lab.edge", description=__doc__)
    parser.add_argument("--topology", type=Path, help="topology file (default: the lab's)")
    parser.add_argument("--api", help="ADDRESS:PORT of the API (default: loopback and the topology's port)")
    parser.add_argument("--place", action="append", default=[], metavar="REGION=ADDRESS[:HTTPS[:HTTP]]",
                        help="serve this region from an address of this network instead of its namespace")  # fmt: skip
    parser.add_argument("--data", type=Path, default=DATA / "edge", help="folder of the state and certificates")
    parser.add_argument("--ca", type=Path, default=DATA / "ca", help="folder of the CA that users trust")
    parser.add_argument("--connect-timeout", type=float, default=4.0, help="towards origins, seconds")
    parser.add_argument("--rate-limit", type=int, default=1200, help="API requests a token has in five minutes")
    parser.add_argument("--minimum-interval", type=int, default=15, help="of monitors, seconds (the plan's limit)")
    parser.add_argument("--without-traffic-steering", action="store_true", help="an account without the add-on")
    parser.add_argument("--enterprise", action="store_true", help="an account with all features and wider limits")
    parser.add_argument("--api-delay-ms", type=float, default=0.0, help="added to every answer of the API")
    parser.add_argument("--token", action="append", default=[], metavar="TOKEN=PERMISSION,...",
                        help="one more token that holds only these permissions")  # fmt: skip
    return parser.parse_args()


def seed(world: Topology, tokens: list[str]) -> dict[str, dict[str, Record]]:
    """The account, zone and tokens that exist from the start."""
    account = {"id": ACCOUNT, "name": f"{world.cluster} lab"}
    zone = {
        "id": ZONE, "name": world.domain, "status": "active", "paused": False, "type": "full",
        "development_mode": 0, "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None, "original_registrar": None, "original_dnshost": None,
        "created_on": "2026-01-01T00:00:00.000000Z", "modified_on": "2026-01-01T00:00:00.000000Z",
        "activated_on": "2026-01-01T00:00:00.000000Z", "account": account,
        "owner": {"id": ACCOUNT, "type": "user", "email": "lab@geokube.test"}, "meta": {"step": 4},
        "permissions": ["#zone:read"], "plan": {"id": "pro", "name": "Pro Website"},
    }  # fmt: skip
    known: dict[str, Record] = {TOKEN: {"id": "ed17574386854bf78a67040be0a770b0", "status": "active"}}
    for text in tokens:
        name, _, permissions = text.partition("=")
        held = [entry for entry in permissions.split(",") if entry]
        known[name] = {"id": name[:32], "status": "active", "permissions": held}
    return {"accounts": {ACCOUNT: account}, "zones": {ZONE: zone}, "tokens": known}


def client_certificates(store: Store, upstreams: list[Upstream], folder: Path) -> None:
    """Give the places the client certificate that the zone's authenticated origin pulls ask for: the newest active."""
    chosen = None
    if store["origin_pulls"].get(ZONE, {}).get("enabled"):
        held = [record for record in store["origin_pull_certificates"].values() if record["status"] == "active"]
        if held:
            identifier = held[-1]["id"]
            chosen = (folder / f"pull-{identifier}.crt", folder / f"pull-{identifier}.key")
            if not chosen[0].exists():
                write_private(chosen[1], held[-1]["private_key"].encode())
                chosen[0].write_text(held[-1]["certificate"])
    for upstream in upstreams:
        upstream.client_certificate, upstream.zone = chosen, store["zones"][ZONE]["name"]


def user_tls(authority: Authority, folder: Path, domain: str) -> ssl.SSLContext:
    """TLS towards users, for the domain and every name right under it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server_files(folder, "edge", [f"*.{domain}", domain]))
    context.set_alpn_protocols(["http/1.1"])
    return context


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    world = load(options.topology)
    addresses = dict(text.split("=", 1) for text in options.place)
    places = from_topology(addresses or None, world)
    options.data.mkdir(parents=True, exist_ok=True)
    lock = (options.data / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise LabError(f"{options.data} is in use by another edge") from error
    authority = Authority(options.ca, "ca", "geokube lab")
    origin_ca = Authority(options.data / "origin-ca", "ca", "Cloudflare Origin CA (lab)")
    context = user_tls(authority, options.data / "tls", world.domain)
    store = Store(options.data / "state.json", seed(world, options.token))
    trusted = [authority.certificate_path, origin_ca.certificate_path]
    upstreams = {place: Upstream(place, trusted, options.connect_timeout, lambda: revoked(store)) for place in places}
    sources = [str(world.regions[place.name].pop_address) if place.namespace else "127.0.0.1" for place in places]
    health = Health(store, upstreams, sources, is_down)

    def changed() -> None:
        client_certificates(store, list(upstreams.values()), options.data / "tls")
        health.reconcile()

    store.listeners.append(changed)
    deploy(store)
    changed()
    limits = Limits(
        interval=options.minimum_interval,
        traffic_steering=not options.without_traffic_steering,
        enterprise=options.enterprise,
    )
    faults = Faults()
    faults.delay = options.api_delay_ms / 1000
    api = Api(store, limits, health, access.Gate(store, options.rate_limit), places)
    runners: list[web.AppRunner | web.ServerRunner] = []
    api_address, _, api_port = (options.api or f"127.0.0.1:{world.ports['cloudflare']}").partition(":")
    runner = web.AppRunner(application(api, faults, Issuer(origin_ca)), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    runners.append(runner)
    for place in places:
        proxy = Proxy(place, store, health, upstreams[place])
        edge = web.ServerRunner(web.Server(proxy.handle, access_log=None), shutdown_timeout=2.0)
        await edge.setup()
        runners.append(edge)
        for port, tls in ((place.https_port, context), (place.http_port, None)):
            await web.SockSite(edge, listen(place.namespace, place.address, port), ssl_context=tls).start()
    # The API opens last: when it answers, everything stands.
    await web.SockSite(runner, listen(None, api_address, int(api_port))).start()
    log.info("API on http://%s:%s/client/v4; places: %s", api_address, api_port, ", ".join(p.code for p in places))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await health.close()
    for one in reversed(runners):
        await one.cleanup()
    for upstream in upstreams.values():
        await upstream.close()


def main() -> int:
    """Run; give the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(run(arguments()))
    except LabError as error:
        print(f"edge: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
