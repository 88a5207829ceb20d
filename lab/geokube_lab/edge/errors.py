# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors that the API answers with, by Cloudflare's codes."""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """A refused request: HTTP status, Cloudflare's error code, and the text."""

    def __init__(self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def not_found(kind: str, identifier: str) -> ApiError:
    """No object of this kind has this identifier."""
    return ApiError(404, 1001, f"{kind} {identifier} not found")


def invalid(where: str, problem: str) -> ApiError:
    """A field has a value that the API refuses."""
    return ApiError(400, 1002, f"{where}: {problem}: validation failed")


def not_enabled(feature: str) -> ApiError:
    """The account's plan lacks this feature."""
    return ApiError(400, 1002, f"{feature} is not enabled for this account")


def not_unique(kind: str, name: str) -> ApiError:
    """Another object has this name."""
    return ApiError(400, 1003, f"{kind} name {name!r} is not unique")


def referenced(kind: str, identifier: str, by: str) -> ApiError:
    """The object is in use and cannot be deleted."""
    return ApiError(412, 1005, f"{kind} {identifier} is still referenced by {by}: cannot be deleted")
