"""The FastAPI application: its routes, and every error as problem details."""

from __future__ import annotations

import logging
import re
from contextlib import asynccontextmanager
from importlib.metadata import version
from inspect import signature
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from digitlens.errors import DataError, DigitlensError
from digitlens.server.http_errors import (
    forget_frames,
    framework_error,
    problem_body,
    problem_headers,
    unexpected_error,
)
from digitlens.server.middleware import SecurityMiddleware
from digitlens.server.routes import digits, explain, mail, recognize, service, train
from digitlens.server.schema_parts import Problem
from digitlens.server.schemas import Pictures
from digitlens.server.state import LabState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from digitlens.server.review_desk import ReviewDesk
    from digitlens.server.settings import ServerSettings


DESCRIPTION = """\
Reads handwritten digits, shows why, and trains networks. Pictures are taken as files (PNG, \
JPEG, BMP, TIFF, GIF, WebP, PNM), as multipart/form-data, or as JSON.

Errors are problem details (application/problem+json, RFC 9457) with the words that the \
command line prints. Nothing that is sent is kept, unless it is saved on purpose at /v1/own \
or settles a piece of mail at /v1/mail.\
"""


# Newer versions of FastAPI report to OpenTelemetry where the environment says so.
NO_TELEMETRY: dict[str, Any] = (
    {"telemetry": dict.fromkeys(("tracing", "metrics", "logs", "auto_configure"), False)}
    if "telemetry" in signature(FastAPI).parameters
    else {}
)


class Lab:
    """A lab as an ASGI application: the FastAPI application inside its security middleware."""

    def __init__(self, settings: ServerSettings, desk: ReviewDesk | None = None) -> None:
        self.state = LabState(settings, desk)
        self.api = build_api(self.state)
        state = self.state
        self._app = SecurityMiddleware(self.api, settings, state.metrics, state.body_budget)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as ASGI prescribes."""
        await self._app(scope, receive, send)


def build_api(state: LabState) -> FastAPI:
    """Return the application that answers for `state`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        state.start()
        yield
        await state.stop()

    # It warns of every form that is none. Who sends it is told; the log is not for strangers.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    # The pages that FastAPI makes for /docs load scripts from other hosts: we make our own.
    api = FastAPI(
        **NO_TELEMETRY,
        title="digitlens",
        version=version("digitlens"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        exception_handlers={
            DigitlensError: _answer_ours,
            RequestValidationError: _answer_invalid,
            HTTPException: _answer_framework,
            Exception: _answer_unexpected,
        },
    )
    # Routes find the lab by the application that they belong to, so several labs can run in one
    # process, as they do in tests.
    api.state.lab = state
    # The order of the groups at /docs.
    for router in (
        recognize.router,
        explain.router,
        explain.networks_router,
        train.router,
        digits.mistakes_router,
        digits.samples_router,
        digits.map_router,
        digits.user_digits_router,
        mail.route_router,
        mail.router,
        service.router,
    ):
        # Taken as they are: `include_router` would make all models of their answers again, at
        # the first request.
        api.router.routes.extend(router.routes)
    _complete_document(api)
    return api


def _complete_document(api: FastAPI) -> None:
    """Add to the OpenAPI document the shapes that are referred to by name alone."""
    # Bodies that are not parsed by FastAPI (pictures), and problems, are not found by it.
    make_document = api.openapi

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            schemas = make_document()["components"]["schemas"]
            for shape in (Problem, Pictures):
                schemas[shape.__name__] = shape.model_json_schema(
                    ref_template="#/components/schemas/{model}"
                )
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)  # our errors are problems
        return make_document()

    api.openapi = document  # type: ignore[method-assign]


def problem_response(error: DigitlensError) -> Response:
    """Return `error` as an answer, and let go of what it came of."""
    forget_frames(error)
    return Response(problem_body(error), error.http_status, problem_headers(error))


async def _answer_ours(_: Request, error: Any) -> Response:
    return problem_response(error)


async def _answer_unexpected(_: Request, error: Any) -> Response:
    return problem_response(unexpected_error(error))  # the middleware logs it


async def _answer_invalid(_: Request, error: Any) -> Response:
    """Say which value is wrong, in the words of the check that failed."""
    forget_frames(error)
    # The first is enough: one wrong value often causes several complaints.
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    given = repr(first.get("input"))
    return problem_response(
        DataError(
            f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}",
            seen=given if len(given) <= 100 else given[:100] + " ...",
            try_="/docs lists what each address takes",
        )
    )


async def _answer_framework(request: Request, error: Any) -> Response:
    forget_frames(error)
    cause = error.__cause__
    if isinstance(cause, DigitlensError):  # raised while the body was read
        return problem_response(cause)
    path = request.url.path
    response = problem_response(
        framework_error(error.status_code, str(error.detail), path[:200])
    )
    response.headers.update(error.headers or {})
    documented = allowed_methods(path, request.app.openapi())
    if error.status_code == 405 and documented:
        response.headers["allow"] = ", ".join(documented)
    return response


def allowed_methods(path: str, document: dict[str, Any]) -> list[str]:
    """Return the methods that an address takes; Starlette names those of one route only.

    >>> allowed_methods("/v1/own/7/ab", {"paths": {"/v1/own/{label}/{name}": {"get": {}}}})
    ['GET']
    """
    return sorted(
        method.upper()
        for template, methods in document["paths"].items()
        if re.fullmatch(re.sub(r"{[^/]+}", "[^/]+", template), path)
        for method in methods
    )
