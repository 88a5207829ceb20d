# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine's list answers: filter, order, page, mask, and the scopes that could not be reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geokube_lab.clouds import gcp_fields, gcp_filter, paging
from geokube_lab.clouds.faults import Fault
from geokube_lab.clouds.gcp_documents import API
from geokube_lab.clouds.gcp_places import ZONES
from geokube_lab.clouds.messages import Request, Response, json_response

MAX_RESULTS = 500
_PARAMETERS = {
    "filter",
    "maxResults",
    "orderBy",
    "pageToken",
    "returnPartialSuccess",
    "includeAllScopes",
    "serviceProjectNumber",
    "fields",
    "alt",
    "$alt",
    "key",
    "prettyPrint",
    "quotaUser",
    "userIp",
    "access_token",
    "callback",
    "$.xgafv",
}


class BadRequest(ValueError):
    """A request that the API answers with status 400 and this message."""


@dataclass(eq=False, slots=True)
class Instance:
    """An instance and what has been written of it, once for each selection of fields."""

    zone: str
    document: Mapping[str, Any]
    _written: dict[int, tuple[gcp_fields.Mask, bytes]] = field(default_factory=dict)

    def json(self, mask: gcp_fields.Mask) -> bytes:
        """The instance's JSON as far as the mask wants it."""
        known = self._written.get(id(mask))
        # The mask is kept beside the text, so its id cannot pass to another one.
        if known is None:
            text = json.dumps(gcp_fields.select(self.document, mask), separators=(",", ":")).encode()
            known = self._written[id(mask)] = (mask, text)
        return known[1]


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The parameters that every list takes, checked."""

    size: int
    token: str
    query: str
    predicate: gcp_filter.Predicate
    newest_first: bool
    mask: gcp_fields.Mask

    @classmethod
    def of(cls, request: Request, masks: dict[str, gcp_fields.Mask]) -> ListRequest:
        """Reads them from a request; ``masks`` keeps what has been parsed. Raises BadRequest."""
        if unknown := sorted(set(request.query) - _PARAMETERS):
            raise BadRequest(
                f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot bind query parameter. '
                f"Field '{unknown[0]}' could not be found in request message."
            )
        try:
            predicate = gcp_filter.compile_filter(request.one("filter"))
        except gcp_filter.BadFilter as error:
            raise BadRequest(f"Invalid value for field 'filter': '{error}'. Invalid list filter expression.") from error
        fields = request.one("fields")
        if fields not in masks:
            try:
                masks[fields] = gcp_fields.parse(fields) if fields else {}
            except gcp_fields.BadFields as error:
                raise BadRequest(f"Invalid field selection {error}") from error
        order = request.one("orderBy") or "name"
        if order not in ("name", "creationTimestamp desc"):
            raise BadRequest(f"Invalid value for field 'orderBy': '{order}'.")
        size = request.one("maxResults", str(MAX_RESULTS))
        if not size.isdigit() or int(size) > MAX_RESULTS:
            raise BadRequest(
                f"Invalid value for field 'maxResults': '{size}'. Values must be within the range: [0, {MAX_RESULTS}]"
            )
        query = json.dumps([request.path, request.one("filter"), order])
        # 0 asks for the default, as for every unset number.
        count = int(size) or MAX_RESULTS
        return cls(count, request.one("pageToken"), query, predicate, order != "name", masks[fields])

    def page(self, items: Sequence[Any], fault: Fault | None) -> paging.Page[Any]:
        """One page of the items. Raises BadRequest for a token of another query."""
        try:
            return paging.cut(items, self.token, self.size, self.query, fault)
        except paging.BadPageToken as error:
            raise BadRequest(f"Invalid value for field 'pageToken': '{error}'. The page token is invalid.") from error

    def instances(self, instances: Sequence[Instance], lost: frozenset[str]) -> list[Instance]:
        """The instances that the filter leaves, in order, without those in a scope that is lost."""
        found = [
            instance
            for instance in instances
            if not lost & {instance.zone, ZONES[instance.zone]} and self.predicate(instance.document)
        ]
        if self.newest_first:
            found.sort(key=lambda instance: str(instance.document["creationTimestamp"]), reverse=True)
        return found


def aggregated_list(
    asked: ListRequest, instances: Sequence[Instance], project: str, lost: frozenset[str], fault: Fault | None
) -> Response:
    """All zones' instances, each zone's under its scope; every other zone with a warning that says why it is empty."""
    page = asked.page(asked.instances(instances, lost), fault)
    unreachable = [f"zones/{zone}" for zone, region in ZONES.items() if lost & {zone, region}]
    by_scope: dict[str, list[Instance]] = {}
    for instance in page.items:
        by_scope.setdefault(f"zones/{instance.zone}", []).append(instance)
    scoped_masks = {zone: gcp_fields.below(asked.mask, "items", f"zones/{zone}") for zone in ZONES}
    scopes = []
    for zone, mask in scoped_masks.items():
        if mask is None:
            continue
        scope = f"zones/{zone}"
        if scope in by_scope:
            inner = gcp_fields.below(mask, "instances")
            listed = b"" if inner is None else _array(b"instances", by_scope[scope], inner)
            scopes.append(_member(scope, b"{" + listed + b"}"))
        elif scope in unreachable:
            scopes.append(_empty_scope(scope, "UNREACHABLE", f"The scope '{scope}' is not reachable.", mask))
        else:
            text = f"There are no results for scope '{scope}' on this page."
            scopes.append(_empty_scope(scope, "NO_RESULTS_ON_PAGE", text, mask))
    path = f"projects/{project}/aggregated/instances"
    head = {"kind": "compute#instanceAggregatedList", "id": path, "selfLink": f"{API}/{path}"}
    extra = {"unreachables": unreachable} if unreachable else {}
    return _answer(asked, head, page.next_token, extra, _member("items", b"{" + b",".join(scopes) + b"}"))


def zone_list(
    asked: ListRequest,
    instances: Sequence[Instance],
    project: str,
    zone: str,
    lost: frozenset[str],
    fault: Fault | None,
) -> Response:
    """One zone's instances; a lost zone answers with a warning and nothing else."""
    here = [instance for instance in instances if instance.zone == zone]
    page = asked.page(asked.instances(here, lost), fault)
    path = f"projects/{project}/zones/{zone}/instances"
    head = {"kind": "compute#instanceList", "id": path, "selfLink": f"{API}/{path}"}
    extra = {}
    if lost & {zone, ZONES[zone]}:
        extra["warning"] = _warning("UNREACHABLE", f"The scope 'zones/{zone}' is not reachable.", f"zones/{zone}")
    mask = gcp_fields.below(asked.mask, "items")
    listed = _array(b"items", page.items, mask) if page.items and mask is not None else b""
    return _answer(asked, head, page.next_token, extra, listed)


def place_list(asked: ListRequest, kind: str, places: Sequence[Mapping[str, Any]], fault: Fault | None) -> Response:
    """Zones or regions."""
    page = asked.page([place for place in places if asked.predicate(place)], fault)
    document: dict[str, Any] = {"kind": kind, "items": list(page.items)}
    if page.next_token:
        document["nextPageToken"] = page.next_token
    return json_response(200, gcp_fields.select(document, asked.mask))


def _answer(
    asked: ListRequest, head: Mapping[str, Any], next_token: str, extra: Mapping[str, Any], listed: bytes
) -> Response:
    document = {**head, **({"nextPageToken": next_token} if next_token else {}), **extra}
    selected = gcp_fields.select(document, asked.mask)
    members = [json.dumps(selected, separators=(",", ":")).encode()[1:-1]] if selected else []
    if listed and gcp_fields.below(asked.mask, "items") is not None:
        members.append(listed)
    return Response(200, b"{" + b",".join(members) + b"}")


def _array(name: bytes, instances: Sequence[Instance], mask: gcp_fields.Mask) -> bytes:
    return b'"%s":[%s]' % (name, b",".join([instance.json(mask) for instance in instances]))


def _member(name: str, body: bytes) -> bytes:
    return json.dumps(name).encode() + b":" + body


def _empty_scope(scope: str, code: str, message: str, mask: gcp_fields.Mask) -> bytes:
    document = gcp_fields.select({"warning": _warning(code, message, scope)}, mask)
    return _member(scope, json.dumps(document, separators=(",", ":")).encode())


def _warning(code: str, message: str, scope: str) -> dict[str, Any]:
    return {"code": code, "message": message, "data": [{"key": "scope", "value": scope}]}
