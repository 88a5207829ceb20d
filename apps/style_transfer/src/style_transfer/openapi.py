# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The OpenAPI document."""

from __future__ import annotations


def document() -> dict[str, object]:
    """Return the document."""
    return {"openapi": "3.1.0"}
