"""The addresses of the lab, and what several of them share.

Function names are the operation ids, and docstrings the descriptions, of the OpenAPI document.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from digitlens.server.http_errors import PROBLEM_TYPE
from digitlens.server.schema_parts import Problem
from digitlens.server.state import LabState

STATUS_MEANINGS = {
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


def document_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of these statuses, and of 422 and 503."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {
            "description": STATUS_MEANINGS[status],
            "content": {PROBLEM_TYPE: {"schema": schema}},
        }
        for status in sorted({*statuses, 422, 503})
    }


# What an address that takes pictures may answer as well.
PICTURE_PROBLEMS = (400, 408, 413, 415, 422)

_FILE = {"type": "string", "format": "binary"}
# FastAPI does not parse these bodies: the handlers read them, see `read_uploads`.
PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Pictures"}},
            "image/png": {"schema": _FILE},
            "application/octet-stream": {"schema": _FILE},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"picture": {"type": "array", "items": _FILE}},
                    "required": ["picture"],
                }
            },
        },
    }
}


def document(
    summary: str, shape: Any, *statuses: int, takes_pictures: bool = False
) -> dict[str, Any]:
    """Return what the OpenAPI document says of an address, as options of its route.

    summary: what it does, in a few words
    shape: the schema of its answer
    statuses: the problems it may answer, besides 422 and 503, which every one may
    takes_pictures: whether its body is pictures, as `read_uploads` takes them
    """
    if takes_pictures:
        statuses = (*statuses, *PICTURE_PROBLEMS)
    result = {
        "response_model": shape,
        "responses": document_problems(*statuses),
        "summary": summary,
    }
    return result | ({"openapi_extra": PICTURE_BODY} if takes_pictures else {})


def document_file(summary: str, about: str, media_type: str, *statuses: int) -> dict[str, Any]:
    """Return what `document` does of an address that answers with a file."""
    file = {"description": about, "content": {media_type: {}}}
    responses = document_problems(*statuses) | {200: file}
    return {"response_class": Response, "responses": responses, "summary": summary}


def get_state(request: Request) -> LabState:
    """Return the state of the lab that answers this request."""
    state: LabState = request.app.state.lab
    return state


async def _provide_state(request: Request) -> LabState:
    # FastAPI would call a plain function in another thread.
    return get_state(request)


State = Annotated[LabState, Depends(_provide_state)]


def json_response(value: Any, status: int = 200) -> Response:
    """Return `value` as the answer to a request.

    FastAPI would check and convert it against the schema first, which costs more than a
    network's answer; mypy and the tests hold the values to their schemas instead.
    """
    content = value if isinstance(value, bytes) else encode_json(value)
    return Response(content, status, media_type="application/json")


def encode_json(value: Any) -> bytes:
    """Return `value`, dataclasses within too, as JSON; NaN and infinity are errors."""
    form: dict[str, Any] = {"ensure_ascii": False, "allow_nan": False, "default": vars}
    return json.dumps(value, separators=(",", ":"), **form).encode()
