"""What every request passes: host, origin, token, caps, headers, counts.

A page in the same browser can send requests to this machine, and by a name of its own that is
made to point here (DNS rebinding) it can even read the answers. So on loopback only requests
that are addressed to this machine by its own names are answered, and a request that a page of
another site has sent is not: browsers say so in ``Origin`` and ``Sec-Fetch-Site``.
"""

from __future__ import annotations

import hmac
import logging
import time
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from digitlens.errors import DigitlensError
from digitlens.server.http_errors import (
    ForeignError,
    HostError,
    TokenError,
    problem_body,
    problem_headers,
    unexpected,
)
from digitlens.server.limits import Body

if TYPE_CHECKING:
    from digitlens.server.state import LabState


LOG = logging.getLogger("digitlens.server")

COOKIE = "digitlens_token"
OPEN = ("/", "/healthz", "/favicon.ico")
"""What is answered without a token; and everything below /static/."""

NAMES = ("localhost", "127.0.0.1", "::1")

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        b"img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
"""With every answer: a page of ours loads nothing from other hosts, and stands in no frame."""


class SecurityMiddleware:
    """ASGI middleware around the whole application."""

    def __init__(self, app: Any, state: LabState) -> None:
        self._app = app
        self._state = state
        self._hosts = frozenset({*NAMES, state.settings.host})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection's request, or hand on the start and end of the server."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        metrics = self._state.metrics
        began, status = time.perf_counter(), 0

        async def mark(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *HEADERS, *_cache(message)]
            await send(message)

        metrics.running += 1
        try:
            await self._let_in(scope, receive, mark)
        except Exception as error:
            LOG.exception("while answering %s %s", scope["method"], scope["path"])
            if not status:
                await refuse(mark, unexpected(error))
        finally:
            metrics.running -= 1
            route = getattr(scope.get("route"), "path", "other")
            metrics.saw(route, _known(scope["method"]), status, time.perf_counter() - began)

    async def _let_in(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        body = None
        try:
            self._check(scope, headers)
            if b"content-length" in headers or b"transfer-encoding" in headers:
                body = Body(receive, headers, self._state.settings, self._state.room)
                receive = body.receive
            await self._app(scope, receive, send)
        except DigitlensError as error:
            await refuse(send, error)
        finally:
            if body is not None:
                body.close()

    def _check(self, scope: Any, headers: dict[bytes, bytes]) -> None:
        settings = self._state.settings
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if settings.on_loopback and _name(host) not in self._hosts:
            raise HostError(
                "the lab answers to this machine's own names only",
                seen=f"Host: {host[:100]}" if host else "no Host",
                try_=f"http://localhost:{settings.port}/",
            )
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        foreign = headers.get(b"sec-fetch-site", b"") in (b"cross-site", b"same-site")
        if foreign and not origin and scope["method"] == "GET" and scope["path"] in OPEN:
            foreign = False  # a link on another site to the lab's page
        if foreign or (origin and urlsplit(origin).netloc != host):
            raise ForeignError(
                "the lab answers its own page and programs, not pages of other sites",
                seen=f"Origin: {origin[:100]}" if origin else "Sec-Fetch-Site: cross-site",
            )
        public = scope["path"] in OPEN or scope["path"].startswith("/static/")
        if settings.token and not public and not token_shown(headers, settings.token):
            raise TokenError(
                "the lab wants its token",
                try_="the header Authorization: Bearer TOKEN, or open /?token=TOKEN first",
            )


def token_shown(headers: dict[bytes, bytes], token: str) -> bool:
    """Say whether `headers` show the token: as Bearer, or in the cookie that the page set."""
    kind, _, shown = headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() == b"bearer" and same(shown.strip().decode("latin-1"), token):
        return True
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return False
    return COOKIE in jar and same(jar[COOKIE].value, token)


def same(one: str, other: str) -> bool:
    """Compare two texts in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


async def refuse(send: Any, error: DigitlensError) -> None:
    """Send `error` as problem details."""
    body = problem_body(error)
    headers = problem_headers(error) | {"content-length": str(len(body))}
    await send(
        {
            "type": "http.response.start",
            "status": error.http_status,
            "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _cache(message: Any) -> tuple[tuple[bytes, bytes], ...]:
    kept = any(name == b"cache-control" for name, _ in message["headers"])
    return () if kept else ((b"cache-control", b"no-store"),)


def _known(method: str) -> str:
    return method if method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT") else "other"
