# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' options hold every attribute of the API's schema, with its types and choices."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils import cloudflare_options, cloudflare_shapes

SCHEMA = Path(__file__).resolve().parents[4] / "shared" / "data" / "cloudflare-load-balancing.openapi.json"
TYPES = {"string": {"str"}, "integer": {"int"}, "number": {"float", "int"}, "boolean": {"bool"}, "object": {"dict"},
         "array": {"list"}}  # fmt: skip
# What only the server sets, or what names the object in the answer.
READ_ONLY = {"id", "created_on", "modified_on", "disabled_at", "networks", "zone_name"}


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    if not SCHEMA.exists():
        pytest.skip("the API's schema is not beside the repository")
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text())["components"]["schemas"]
    return loaded


def resolved(node: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A schema with its references and its allOf put together."""
    while "$ref" in node:
        node = schemas[node["$ref"].rsplit("/", 1)[1]]
    if "allOf" in node:
        properties: dict[str, Any] = {}
        for part in node["allOf"]:
            properties.update(resolved(part, schemas).get("properties", {}))
        return {"type": "object", "properties": properties}
    return node


def compare(
    options: dict[str, Any], node: dict[str, Any], schemas: dict[str, Any], where: str, extra: set[str]
) -> None:
    properties = resolved(node, schemas)["properties"]
    settable = {
        name: resolved(value, schemas)
        for name, value in properties.items()
        if name not in READ_ONLY and not value.get("readOnly")
    }
    assert set(options) - extra == set(settable), where
    for name, value in settable.items():
        option, here = options[name], f"{where}.{name}"
        if "type" in value:
            assert option["type"] in TYPES[value["type"]], here
        assert sorted(option.get("choices", [])) == sorted(value.get("enum", value.get("items", {}).get("enum", []))), (
            here
        )
        assert "default" not in option, f"{here}: a default would be sent although nobody gave it"
        if value.get("type") == "object" and value.get("properties"):
            compare(option["options"], value, schemas, here, set())
        if value.get("type") == "array":
            item = resolved(value["items"], schemas)
            if item.get("properties"):
                compare(option["options"], item, schemas, here, set())
            else:
                assert option["elements"] == "str", here


@pytest.mark.parametrize(
    ("options", "schema", "extra"),
    [
        (cloudflare_options.MONITOR, "load-balancing_monitor", {"name"}),
        (cloudflare_options.POOL, "load-balancing_pool", set()),
        (cloudflare_options.LOAD_BALANCER, "load-balancing_load-balancer", set()),
    ],
)
def test_every_attribute_is_an_option(
    schemas: dict[str, Any], options: dict[str, Any], schema: str, extra: set[str]
) -> None:
    described = {name: option for name, option in options.items() if name != "description"}
    node = resolved(schemas[schema], schemas)
    properties = {name: value for name, value in node["properties"].items() if name != "description"}
    compare(described, {"properties": properties}, schemas, schema, extra)
    assert options["description"] == {"type": "str"}


@pytest.mark.parametrize(
    ("options", "shapes"),
    [
        (cloudflare_options.MONITOR, cloudflare_shapes.monitor_shapes("https")),
        (cloudflare_options.POOL, cloudflare_shapes.POOL),
        (cloudflare_options.ORIGIN, cloudflare_shapes.ORIGIN),
        (cloudflare_options.LOAD_BALANCER, cloudflare_shapes.LOAD_BALANCER),
    ],
)
def test_every_option_has_a_shape(options: dict[str, Any], shapes: dict[str, Any]) -> None:
    assert set(options) - {"name"} == set(shapes) - {"name"}


@pytest.mark.parametrize(
    ("schema", "shapes"),
    [
        ("load-balancing_monitor", cloudflare_shapes.monitor_shapes("https")),
        ("load-balancing_pool", cloudflare_shapes.POOL),
        ("load-balancing_load-balancer", cloudflare_shapes.LOAD_BALANCER),
    ],
)
def test_defaults_are_the_schemas(schemas: dict[str, Any], schema: str, shapes: dict[str, Any]) -> None:
    def check(properties: dict[str, Any], shapes: dict[str, Any]) -> None:
        for name, node in properties.items():
            value = resolved(node, schemas)
            if name in shapes and "default" in value and value["default"] != "":
                assert shapes[name].default == value["default"], name
            inner = resolved(value.get("items", value), schemas).get("properties")
            if name in shapes and inner and shapes[name].fields:
                check(inner, shapes[name].fields)

    check(resolved(schemas[schema], schemas)["properties"], shapes)


@pytest.mark.parametrize("module", ["load_balancer", "load_balancer_monitor", "load_balancer_pool", "traffic"])
def test_the_token_is_never_logged(module: str) -> None:
    found = importlib.import_module(f"ansible_collections.meridian.geokube.plugins.modules.cloudflare_{module}")
    assert found.argument_spec()["api_token"]["no_log"] is True
