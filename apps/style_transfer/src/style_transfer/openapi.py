# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The OpenAPI document."""

from __future__ import annotations

from style_transfer import __version__
from style_transfer.jobs import JobRecord
from style_transfer.painting import MEDIA_TYPES, Wish
from style_transfer.styles import MAX_BLENDED, STYLE_COUNT
from style_transfer.wishes import MAX_SIZE, MIN_SIZE

_DEFAULTS = Wish()
_OPTIONS: dict[str, tuple[str, dict[str, object]]] = {
    "styles": (
        f"Numbers of styles (0 to {STYLE_COUNT - 1}), up to {MAX_BLENDED} blended by weight: `5`, or `5:0.7,11:0.3`.",
        {"type": "string", "default": "5", "pattern": r"^\s*\d+(:[0-9.eE+-]+)?(\s*,\s*\d+(:[0-9.eE+-]+)?)*\s*$"},
    ),
    "size": (
        "Pixels of the painting's longer side; a smaller photo is not enlarged.",
        {"type": "integer", "minimum": MIN_SIZE, "maximum": MAX_SIZE, "default": _DEFAULTS.size},
    ),
    "strength": (
        "How much of the painting is mixed into the photo.",
        {"type": "number", "minimum": 0, "maximum": 1, "default": _DEFAULTS.strength},
    ),
    "preserve_color": ("Keep the photo's colours.", {"type": "boolean", "default": _DEFAULTS.preserve_color}),
    "format": (
        "Format of the painting.",
        {"type": "string", "enum": [*MEDIA_TYPES], "default": _DEFAULTS.format},
    ),
    "quality": (
        "Quality of a JPEG or WebP.",
        {"type": "integer", "minimum": 1, "maximum": 100, "default": _DEFAULTS.quality},
    ),
}
_BINARY: dict[str, object] = {"schema": {"type": "string", "format": "binary"}}
_HEADERS = {
    "x-geokube-region": "The region that answered.",
    "x-result-id": "Names the result: GET /results/{id}.",
    "x-job-id": "Names the record of this job: GET /v1/jobs/{id}.",
    "x-result-origin": "`painted` for this request, or `stored` from an earlier one.",
    "server-timing": "Milliseconds of each stage.",
}
_REFUSALS = {
    "408": "The body came too slowly.",
    "413": "Too many bytes or pixels.",
    "415": "No JPEG, PNG or WebP.",
    "422": "A broken or unsuitable photo, or a wrong option.",
    "503": "The queue is full; Retry-After says when to try again.",
}


def _problem(text: str) -> dict[str, object]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": text, "content": content}


def _json(text: str, schema: dict[str, object]) -> dict[str, object]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _stylize() -> dict[str, object]:
    parameters = [
        {"name": name, "in": "query", "description": text, "schema": schema}
        for name, (text, schema) in _OPTIONS.items()
    ]
    form = {name: {"description": text, **schema} for name, (text, schema) in _OPTIONS.items()}
    form["photo"] = {"type": "string", "format": "binary"}
    bodies: dict[str, object] = dict.fromkeys((*MEDIA_TYPES.values(), "application/octet-stream"), _BINARY)
    bodies["multipart/form-data"] = {"schema": {"type": "object", "required": ["photo"], "properties": form}}
    painted = {
        "description": "The painting.",
        "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()},
        "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY),
    }
    return {
        "operationId": "stylize",
        "summary": "Turn a photo into a painting",
        "parameters": parameters,
        "requestBody": {"required": True, "content": bodies},
        "responses": {"200": painted, **{code: _problem(text) for code, text in _REFUSALS.items()}},
    }


def _path_parameter(name: str, pattern: str) -> list[dict[str, object]]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}]


def _get(operation: str, summary: str, responses: dict[str, object], **more: object) -> dict[str, object]:
    return {"get": {"operationId": operation, "summary": summary, "responses": responses, **more}}


def document() -> dict[str, object]:
    """Return the document, OpenAPI 3.1."""
    pictures = {"description": "The painting.", "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY)}
    text = {"description": "Answers.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    thumbnail = {"description": "A picture of 192 x 144 pixels.", "content": {"image/webp": _BINARY}}
    names = {"type": "string"}
    style = dict.fromkeys(("name", "description", "thumbnail"), names)
    listed: dict[str, object] = {
        "type": "object",
        "properties": {
            "model": names,
            "styles": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"number": {"type": "integer"}, "recommended": {"type": "boolean"}, **style},
                },
            },
        },
    }
    problem = dict.fromkeys(("type", "title", "code", "detail"), names)
    job: dict[str, object] = {name: {} for name in (*JobRecord.__dataclass_fields__, "result")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Style transfer",
            "version": __version__,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
            "description": "A photo in, a painting out, from the nearest region.",
        },
        "paths": {
            "/v1/stylize": {"post": _stylize()},
            "/v1/styles": _get("styles", "List the styles", {"200": _json("The styles.", listed)}),
            "/v1/styles/{name}.webp": _get(
                "thumbnail",
                "See a style",
                {"200": thumbnail, "404": _problem("No such style.")},
                parameters=_path_parameter("name", r"^(\d\d|original)$"),
            ),
            "/v1/jobs/{job_id}": _get(
                "job",
                "Read the record of a job",
                {
                    "200": _json("The record.", {"$ref": "#/components/schemas/Job"}),
                    "404": _problem("No such job."),
                    "503": _problem("The database does not answer."),
                },
                parameters=_path_parameter("job_id", r"^[0-9a-f-]{36}$"),
            ),
            "/results/{result_id}": _get(
                "result",
                "Get a result again; it never changes",
                {"200": pictures, "304": {"description": "Not modified."}, "404": _problem("Not here (any more).")},
                parameters=_path_parameter("result_id", r"^[0-9a-f]{64}$"),
            ),
            "/livez": _get("livez", "Whether the process lives", {"200": text}),
            "/readyz": _get(
                "readyz",
                "Whether to send requests here",
                {"200": _json("Yes.", {"type": "object"}), "503": _json("No: draining.", {"type": "object"})},
            ),
        },
        "components": {
            "schemas": {
                "Problem": {"type": "object", "properties": {**problem, "status": {"type": "integer"}}},
                "Job": {"type": "object", "properties": job},
            }
        },
    }
