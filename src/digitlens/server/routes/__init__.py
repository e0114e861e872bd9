"""The addresses of the lab, one module for each part of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from digitlens.server.http_errors import PROBLEM
from digitlens.server.schemas import Problem

if TYPE_CHECKING:
    from fastapi import Request

    from digitlens.server.state import LabState


WHAT = {
    400: "The request makes no sense.",
    404: "There is nothing of that name.",
    408: "The request did not come in time.",
    409: "Not as things stand.",
    413: "Too many bytes, pixels or pictures.",
    415: "A body of a kind that is not read.",
    422: "A picture or value that cannot be used.",
    500: "A fault in digitlens.",
    501: "An extra is not installed.",
    503: "Busy, or what is needed is not here; Retry-After says when to ask again.",
    507: "The disk refused.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of these statuses: problem details each."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {"description": WHAT[status], "content": {PROBLEM: {"schema": schema}}}
        for status in sorted({*statuses, 422, 503})
    }


TAKES_BODY = (400, 408, 413, 415, 422)
"""What an address that takes pictures may answer besides."""

PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Pictures"},
            },
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "picture": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                    "required": ["picture"],
                }
            },
        },
    }
}


def state_of(request: Request) -> LabState:
    """Return what the lab that answers this request holds."""
    state: LabState = request.app.state.lab
    return state
