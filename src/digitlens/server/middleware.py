"""What every request passes: host, origin, token, limits of the body, headers, counts, traces.

A page in the same browser can send requests to this machine, and by a name of its own that it
points here (DNS rebinding) it can even read the answers. So on loopback only requests that are
addressed to this machine by its own names are answered, and a request sent by a page of another
site is refused: browsers tell by ``Origin`` and ``Sec-Fetch-Site``.

Traces are for OpenTelemetry, where its package is installed. Only its API is used, which does
nothing by itself: where traces go is said by the program that starts the lab, as
``opentelemetry-instrument digitlens serve`` does.
"""

from __future__ import annotations

import asyncio
import gc
import hmac
import logging
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect

from digitlens.errors import DigitlensError
from digitlens.server.http_errors import (
    BusyError,
    ForeignError,
    HostError,
    SlowError,
    TokenError,
    TooLargeError,
    forget_frames,
    problem_body,
    problem_headers,
    unexpected_error,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from digitlens.server.prometheus import Metrics
    from digitlens.server.settings import ServerSettings

    Receive = Callable[[], Awaitable[Any]]


LOG = logging.getLogger("digitlens.server")

COOKIE = "digitlens_token"
# Answered without a token; so is everything below /static/.
PUBLIC_PATHS = ("/", "/healthz", "/favicon.ico")

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
# Bytes of bodies after which the garbage collector is called: it counts objects, of which a few
# may hold very much.
COLLECT_BYTES = 64 << 20
METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT")

# Sent with every answer: our page loads nothing from other hosts, and no site can frame it.
SECURITY_HEADERS = (
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


class SecurityMiddleware:
    """ASGI middleware around the whole application."""

    def __init__(
        self, app: Any, settings: ServerSettings, metrics: Metrics, budget: ByteBudget
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self.tracer = find_tracer()
        self._budget = budget
        self._hosts = frozenset({*LOOPBACK_NAMES, settings.host})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or pass on the start and end of the server."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, count it, and add our headers to the answer."""
        start, status = time.perf_counter(), 0

        async def send_with_headers(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), *SECURITY_HEADERS]
                if all(name != b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        self._metrics.running += 1
        with trace_request(self.tracer, scope) as attributes:
            try:
                await self._check_and_answer(scope, receive, send_with_headers)
            except ClientDisconnect as error:
                # It asked, and left: no fault, and the log is not for strangers to fill.
                status = 499
                forget_frames(error)
            except Exception as error:
                LOG.exception("while answering %s %s", scope["method"], scope["path"])
                if not status:
                    await send_problem(send_with_headers, unexpected_error(error))
                forget_frames(error)
            finally:
                self._metrics.running -= 1
                # Only names of ours become labels: a client must not be able to invent any.
                route = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in METHODS else "other"
                self._metrics.count_request(route, method, status, time.perf_counter() - start)
                attributes["http.request.method"], attributes["http.route"] = method, route
                attributes["http.response.status_code"] = status

    async def _check_and_answer(self, scope: Any, receive: Any, send: Any) -> None:
        # check who asks -> limit what is sent -> answer
        headers = dict(scope["headers"])
        body = None
        try:
            self._check(scope, headers)
            # A request without these headers has no body (RFC 9112, 6.3).
            if b"content-length" in headers or b"transfer-encoding" in headers:
                body = RequestBody(receive, headers, self._settings, self._budget)
                receive = body.receive
            await self._app(scope, receive, send)
        except DigitlensError as error:
            forget_frames(error)
            await send_problem(send, error)
        finally:
            if body is not None:
                body.close()

    def _check(self, scope: Any, headers: dict[bytes, bytes]) -> None:
        """Check host, origin and token, in this order."""
        settings = self._settings
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = b", ".join(hosts).decode("latin-1").lower()
        # DNS rebinding: a foreign name that points to 127.0.0.1 is still in the Host header.
        if settings.on_loopback and _host_name(host) not in self._hosts:
            raise HostError(
                "the lab answers to this machine's own names only",
                seen=f"Host: {host[:100]}" if host else "no Host",
                try_=f"http://localhost:{settings.port}/",
            )
        # Cross-site requests: browsers name the site; programs send neither header.
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        foreign = headers.get(b"sec-fetch-site", b"") in (b"cross-site", b"same-site")
        path = scope["path"]
        if (
            foreign
            and not origin
            and scope["method"] in ("GET", "HEAD")
            and path in PUBLIC_PATHS
        ):
            foreign = False  # a link on another site that leads to the lab's page
        if foreign or (origin and urlsplit(origin).netloc != host):
            raise ForeignError(
                "the lab answers its own page and programs, not pages of other sites",
                seen=f"Origin: {origin[:100]}" if origin else "Sec-Fetch-Site: cross-site",
            )
        # The page itself is public: it shows nothing until its cookie holds the token.
        public = path in PUBLIC_PATHS or path.startswith("/static/")
        if (
            settings.token
            and not public
            and not has_token(headers, settings.token, settings.port)
        ):
            raise TokenError(
                "the lab wants its token",
                try_="the header Authorization: Bearer TOKEN, or open /?token=TOKEN first",
            )


def has_token(headers: dict[bytes, bytes], token: str, port: int) -> bool:
    """Say whether `headers` hold the token: as Bearer, or in the cookie that the page set."""
    kind, _, shown = headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() == b"bearer" and is_same(shown.strip().decode("latin-1"), token):
        return True
    # A browser may have other cookies for this host, whose names may be anything.
    name, wanted = make_cookie(token, port)
    pairs = headers.get(b"cookie", b"").decode("latin-1").split(";")
    return any(
        key.strip() == name and is_same(value.strip(), wanted)
        for key, _, value in (pair.partition("=") for pair in pairs)
    )


def make_cookie(token: str, port: int) -> tuple[str, str]:
    """Return the name and value of the cookie that stands for `token`, not the token itself.

    Browsers send a cookie to every port of a host; this one is of no use to another server.
    """
    value = hmac.digest(token.encode(), f"{COOKIE} {port}".encode(), "sha256").hex()
    return f"{COOKIE}_{port}", value


def is_same(one: str, other: str) -> bool:
    """Compare two texts in a time that does not reveal where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


async def send_problem(send: Any, error: DigitlensError) -> None:
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


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port; "" for what is no such header."""
    match = re.fullmatch(r"(?:\[([^\]@]*)\]|([^\[\]:@,]*))(?::\d{1,5})?", host)
    return (match[1] or match[2] or "") if match else ""


class ByteBudget:
    """The bytes of request bodies that may be held at one time."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._passed = 0  # given back since the last collection

    def take(self, count: int) -> None:
        """Take `count` bytes, or raise BusyError where they are not left."""
        if self.held + count > self.limit:
            raise BusyError(
                "too much is being sent to the lab at this moment",
                seen=f"{self.held:,} bytes are on their way, {self.limit:,} may be",
                try_="the same again in a moment",
            )
        self.held += count

    def give_back(self, count: int) -> None:
        """Give `count` bytes back; what held them in circles is free now and then."""
        self.held -= count
        self._passed += count
        if self._passed >= COLLECT_BYTES:
            self._passed = 0
            gc.collect()


class RequestBody:
    """A request's body on its way in: counted and timed; `close` gives its bytes back.

    Its `receive` stands in the place of ASGI's. TooLargeError is raised at once where its
    Content-Length says so.
    """

    def __init__(
        self,
        receive: Receive,
        headers: Mapping[bytes, bytes],
        settings: ServerSettings,
        budget: ByteBudget,
    ) -> None:
        self._receive = receive
        self._settings = settings
        self._budget = budget
        self._count = 0
        self._deadline: float | None = None
        self._is_complete = False
        # The header may lie or be absent, so bytes are counted as well when they come.
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > settings.max_body_bytes:
            raise self._too_large_error(f"{int(length):,}")

    async def receive(self) -> Any:
        """Return ASGI's next message.

        Raises TooLargeError, SlowError, BusyError: more bytes than the limit, later than the
        limit, or beyond the budget.
        """
        if self._is_complete:  # the next message says that the client has gone: no hurry
            return await self._receive()
        # One deadline for the whole body: a byte now and then does not extend it.
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._settings.body_seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            raise SlowError(
                f"the request must be here within {self._settings.body_seconds:g} seconds",
                seen=f"{self._count:,} bytes of its body",
            ) from error
        if message["type"] == "http.request":
            self._take(len(message.get("body", b"")))
            self._is_complete = not message.get("more_body", False)
        return message

    def _take(self, count: int) -> None:
        if self._count + count > self._settings.max_body_bytes:
            raise self._too_large_error(f"more than {self._settings.max_body_bytes:,}")
        self._budget.take(count)
        self._count += count

    def close(self) -> None:
        """Give its bytes back."""
        self._budget.give_back(self._count)
        self._count = 0

    def _too_large_error(self, seen: str) -> TooLargeError:
        limit = self._settings.max_body_bytes / 2**20
        return TooLargeError(
            f"the request is too large: the limit is {limit:.3g} MiB",
            seen=f"{seen} bytes",
            try_="a smaller picture, or fewer of them",
        )


def find_tracer() -> Any:
    """Return OpenTelemetry's tracer of this package; None where it is not installed."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace.get_tracer("digitlens")


@contextmanager
def trace_request(tracer: Any, scope: Any) -> Iterator[dict[str, Any]]:
    """Trace what is inside as one request, with the attributes that are put into the dict.

    It belongs to the trace that the caller names in its header ``traceparent``. Without a
    `tracer` nothing is traced.
    """
    attributes: dict[str, Any] = {}
    if tracer is None:
        yield attributes
        return
    from opentelemetry import propagate, trace

    headers = {
        key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
    }
    with tracer.start_as_current_span(
        scope["method"], context=propagate.extract(headers), kind=trace.SpanKind.SERVER
    ) as span:
        try:
            yield attributes
        finally:
            # The address as it is documented: names of ours, and no more of them.
            span.update_name(f"{attributes['http.request.method']} {attributes['http.route']}")
            span.set_attributes(attributes)
            # OpenTelemetry's conventions for HTTP servers say that a client's fault is no error
            # of the service.
            if attributes["http.response.status_code"] >= 500:
                span.set_status(trace.StatusCode.ERROR)
