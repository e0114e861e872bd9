"""/healthz, /metrics, /docs and the page's own files."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from digitlens.lab import metrics
from digitlens.lab.docs_page import STYLE, docs_page
from digitlens.lab.files import page_file
from digitlens.lab.guard import COOKIE, same
from digitlens.lab.refusals import BusyError, TokenError
from digitlens.lab.routes import problems, state_of
from digitlens.lab.schema import Health

router = APIRouter(tags=["service"])


@router.get(
    "/healthz",
    response_model=Health,
    responses=problems(503),
    summary="Whether the lab answers",
)
async def healthz(request: Request) -> Any:
    """Say ok; 503 once the lab is ending."""
    if state_of(request).closing.is_set():
        raise BusyError("the lab is ending")
    return {"status": "ok"}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=problems(503),
    summary="Counts and times, as Prometheus reads them",
)
async def counts(request: Request) -> Any:
    """Return counts and times in Prometheus' text form."""
    return Response(state_of(request).metrics.text(), media_type=metrics.CONTENT_TYPE)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Any:
    """Return the OpenAPI document as a page."""
    return HTMLResponse(docs_page(request.app.openapi()))


@router.get("/docs/style.css", include_in_schema=False)
async def docs_style() -> Any:
    """Return the look of that page."""
    return Response(STYLE, media_type="text/css; charset=utf-8")


@router.get("/", include_in_schema=False)
async def page(request: Request, token: str | None = None) -> Any:
    """Return the page; with the token in the address, keep it in a cookie first.

    The address without it is then opened, so that the token stays in no history.
    """
    wanted = state_of(request).settings.token
    if token is None or not wanted:
        return page_file("index.html", request)
    if not same(token, wanted):
        raise TokenError("that is not the lab's token")
    answer = Response(status_code=303, headers={"location": "/"})
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
    return answer


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Any:
    """Return the page's icon."""
    return page_file("favicon.ico", request)


@router.get("/static/{path:path}", include_in_schema=False)
async def static(request: Request, path: str) -> Any:
    """Return one of the page's files."""
    return page_file(path, request)
