# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine's REST API, version 1, as far as one reads instances, zones and regions with it."""

from __future__ import annotations

from collections.abc import Iterable

from geokube_lab.clouds import credentials, gcp_fields, gcp_lists, paging
from geokube_lab.clouds.emulator import Emulator
from geokube_lab.clouds.faults import Call, Fault, Faults
from geokube_lab.clouds.gcp_documents import API, error_document, instance
from geokube_lab.clouds.gcp_identity import IdentityProvider
from geokube_lab.clouds.gcp_places import REGIONS, ZONES, region_document, zone_document
from geokube_lab.clouds.http import Server
from geokube_lab.clouds.machine import GCP_PROJECT
from geokube_lab.clouds.messages import Request, Response, json_response


class ComputeEngine(Emulator):
    """Compute Engine on one port; the endpoint is the URL without /compute/v1.

    The projects are the lab's own, those of the machines, and ``projects``, which may have no machine.
    """

    name = "gcp"

    def __init__(self, port: int = 0, faults: Faults | None = None, projects: Iterable[str] = ()) -> None:
        super().__init__(faults)
        self.tokens = credentials.Tokens(credentials.GCP_TOKEN)
        self._more_projects = frozenset(projects)
        self._projects: dict[str, list[gcp_lists.Instance]] = {}
        self._masks: dict[str, gcp_fields.Mask] = {}
        self._server = Server(self, port=port)
        self.identity = IdentityProvider(self.tokens, self.endpoint)

    @property
    def endpoint(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Starts to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stops to serve."""
        self._server.stop()

    def _loaded(self) -> None:
        projects: dict[str, list[gcp_lists.Instance]] = {name: [] for name in {GCP_PROJECT, *self._more_projects}}
        for machine in sorted(self._machines, key=lambda each: (each.zone, each.name)):
            if machine.zone not in ZONES:
                raise ValueError(f"gcp: {machine.name} is in zone {machine.zone!r}, which Compute Engine does not have")
            projects.setdefault(machine.account, []).append(gcp_lists.Instance(machine.zone, instance(machine)))
        self._projects = projects

    def call(self, request: Request) -> Call:
        """The operation is the method's name in the reference; scopes are project, zone and region."""
        page = paging.page_number(request.one("pageToken"))
        match request.path.strip("/").split("/"):
            case ["compute", "v1", "projects", project, "aggregated", "instances"]:
                return Call("instances.aggregatedList", frozenset({project}), page)
            case ["compute", "v1", "projects", project, "zones", zone, "instances"]:
                return Call("instances.list", frozenset({project, zone, ZONES.get(zone, zone)}), page)
            case ["compute", "v1", "projects", project, "zones", zone, "instances", _]:
                return Call("instances.get", frozenset({project, zone, ZONES.get(zone, zone)}))
            case ["compute", "v1", "projects", project, ("zones" | "regions") as kind]:
                return Call(f"{kind}.list", frozenset({project}), page)
            case ["compute", "v1", "projects", project, ("zones" | "regions") as kind, place]:
                return Call(f"{kind}.get", frozenset({project, place}))
            case ["compute", *_]:
                return Call("other")
            case _:
                return Call("token")

    def failure(self, request: Request, fault: Fault) -> Response:
        """An error as Google's APIs write it."""
        headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
        return json_response(fault.status, error_document(fault.status, fault.message), headers)

    def respond(self, request: Request, fault: Fault | None) -> Response:
        """The answer to one request."""
        match request.path.strip("/").split("/"):
            case ["compute", "v1", "projects", project, *rest]:
                return self._authorized(request, fault, project, rest)
            case ["compute", *_]:
                return _error(404, f"The requested URL {request.path} was not found on this server.")
            case _:
                return self.identity.respond(request)

    def _authorized(self, request: Request, fault: Fault | None, project: str, rest: list[str]) -> Response:
        identity = self.tokens.identity(request.bearer())
        if identity == "missing":
            message = (
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie "
                "or other valid authentication credential."
            )
            return _error(401, message, "required")
        if identity == "unknown":
            return _error(401)
        if project not in self._projects:
            return _error(404, f"The resource 'projects/{project}' was not found")
        if identity == "guest":
            return _error(403, f"Required 'compute.instances.list' permission for 'projects/{project}'")
        if request.method not in ("GET", "HEAD"):
            return _error(405, "The lab's Compute Engine can only be read.")
        try:
            return self._read(request, fault, project, rest)
        except gcp_lists.BadRequest as error:
            return _error(400, str(error))

    def _read(self, request: Request, fault: Fault | None, project: str, rest: list[str]) -> Response:
        base = f"{API}/projects/{project}"
        instances, lost = self._projects[project], self.faults.unreachable()
        match rest:
            case []:
                return json_response(200, {"kind": "compute#project", "name": project, "selfLink": base})
            case ["aggregated", "instances"]:
                return gcp_lists.aggregated_list(self._asked(request), instances, project, lost, fault)
            case ["zones"]:
                zones = [zone_document(base, zone, number) for number, zone in enumerate(ZONES)]
                return gcp_lists.place_list(self._asked(request), "compute#zoneList", zones, fault)
            case ["regions"]:
                regions = [region_document(base, region, number) for number, region in enumerate(REGIONS)]
                return gcp_lists.place_list(self._asked(request), "compute#regionList", regions, fault)
            case ["regions", region] if region in REGIONS:
                return json_response(200, region_document(base, region, REGIONS.index(region)))
            case ["zones", zone, *_] if zone not in ZONES:
                return _error(404, f"The resource 'projects/{project}/zones/{zone}' was not found")
            case ["zones", zone]:
                return json_response(200, zone_document(base, zone, list(ZONES).index(zone)))
            case ["zones", zone, "instances"]:
                return gcp_lists.zone_list(self._asked(request), instances, project, zone, lost, fault)
            case ["zones", zone, "instances", name]:
                for each in instances:
                    if each.zone == zone and name in (each.document["name"], each.document["id"]):
                        return json_response(200, each.document)
        return _error(404, f"The resource 'projects/{project}/{'/'.join(rest)}' was not found")

    def _asked(self, request: Request) -> gcp_lists.ListRequest:
        return gcp_lists.ListRequest.of(request, self._masks)


def _error(status: int, message: str | None = None, reason: str | None = None) -> Response:
    return json_response(status, error_document(status, message, reason))
