"""The FastAPI application: routes, errors as problem details, and what guards them."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from importlib.metadata import version
from inspect import signature
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from digitlens.errors import DataError, DigitlensError
from digitlens.server.http_errors import from_status, problem_body, problem_headers, unexpected
from digitlens.server.middleware import SecurityMiddleware
from digitlens.server.routes import (
    explain,
    mail,
    mistakes,
    networks,
    own,
    predict,
    read,
    service,
    train,
)
from digitlens.server.schemas import Pictures, Problem
from digitlens.server.state import LabState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from digitlens.server.review_desk import ReviewDesk
    from digitlens.server.settings import ServerSettings


ABOUT = """\
Reads handwritten digits, shows why, and trains networks. Pictures are taken as files (PNG, \
JPEG, BMP, TIFF, GIF, WebP, PNM), as multipart/form-data, or as JSON.

Errors are problem details (application/problem+json, RFC 9457) with the words that the \
command line prints. Nothing that is sent is kept, unless it is saved on purpose at /v1/own \
or settles a piece of mail at /v1/mail.\
"""


SILENT: dict[str, Any] = (
    {"telemetry": dict.fromkeys(("tracing", "metrics", "logs", "auto_configure"), False)}
    if "telemetry" in signature(FastAPI).parameters
    else {}
)
"""Newer versions of FastAPI report to OpenTelemetry where the environment says so; not here."""


class Lab:
    """A lab as an ASGI application: the application inside its guard.

    Parameters
    ----------
    settings
        What it is started with.
    desk
        Where mail is reviewed; None: nowhere.
    """

    def __init__(self, settings: ServerSettings, desk: ReviewDesk | None = None) -> None:
        self.state = LabState(settings, desk)
        self.api = build(self.state)
        self._guarded = SecurityMiddleware(self.api, self.state)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as ASGI has it."""
        await self._guarded(scope, receive, send)


def build(state: LabState) -> FastAPI:
    """Return the application that answers for `state`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        state.start()
        yield
        await state.stop()

    api = FastAPI(
        **SILENT,
        title="digitlens",
        version=version("digitlens"),
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        exception_handlers={
            DigitlensError: _ours,
            RequestValidationError: _invalid,
            HTTPException: _theirs,
            Exception: _unforeseen,
        },
    )
    api.state.lab = state
    for part in (predict, read, explain, networks, train, mistakes, own, mail, service):
        api.include_router(part.router)
    _complete(api)
    return api


def _complete(api: FastAPI) -> None:
    """Add to the OpenAPI document the shapes that are referred to by name alone."""
    made = api.openapi

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            result = made()
            schemas = result["components"]["schemas"]
            for shape in (Problem, Pictures):
                schemas[shape.__name__] = shape.model_json_schema(
                    ref_template="#/components/schemas/{model}"
                )
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)  # ours are problems
        return api.openapi_schema or result

    api.openapi = document  # type: ignore[method-assign]


def problem(error: DigitlensError) -> Response:
    """Return `error` as an answer."""
    return Response(problem_body(error), error.http_status, problem_headers(error))


async def _ours(_: Request, error: Any) -> Response:
    return problem(error)


async def _unforeseen(_: Request, error: Any) -> Response:
    return problem(unexpected(error))  # the guard writes it to the log


async def _invalid(_: Request, error: Any) -> Response:
    """Say which value is wrong, in the words of the check that failed."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    given = repr(first.get("input"))
    return problem(
        DataError(
            f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}",
            seen=given if len(given) <= 100 else given[:100] + " ...",
            try_="/docs lists what each address takes",
        )
    )


async def _theirs(request: Request, error: Any) -> Response:
    cause = error.__cause__
    if isinstance(cause, DigitlensError):  # raised while the body was read
        return problem(cause)
    path = request.url.path
    result = problem(from_status(error.status_code, str(error.detail), path[:200]))
    result.headers.update(error.headers or {})
    if error.status_code == 405:
        result.headers["allow"] = ", ".join(methods_of(path, request.app.openapi()))
    return result


def methods_of(path: str, document: dict[str, Any]) -> list[str]:
    """Return the methods that an address takes; the framework names those of one route only.

    Examples
    --------
    >>> methods_of("/v1/own/7/ab", {"paths": {"/v1/own/{label}/{name}": {"get": {}}}})
    ['GET']
    """
    return sorted(
        method.upper()
        for template, methods in document["paths"].items()
        if re.fullmatch(re.sub(r"{[^/]+}", "[^/]+", template), path)
        for method in methods
    )
