"""Who is let in, and what every answer says to a browser."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from starlette.requests import ClientDisconnect

from digitlens.errors import UsageError
from digitlens.server import middleware
from digitlens.server.middleware import ByteBudget, SecurityMiddleware
from digitlens.server.prometheus import Metrics
from digitlens.server.settings import ServerSettings, check_token

Check = Callable[..., dict[str, Any]]
TOKEN = "a-token-that-nobody-guesses"


@pytest.mark.parametrize(
    "host", ["localhost:8000", "127.0.0.1:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"]
)
def test_this_machines_own_names_are_answered(lab: Any, host: str) -> None:
    """On loopback the lab answers to the names of loopback."""
    assert lab.get("/healthz", headers={"host": host}).json() == {"status": "ok"}


FOREIGN = (
    *("evil.example", "localhost.evil.example:8000", "", "[::2]"),
    *("localhost:8123@evil.example", "[::1]evil", "localhost:evil", "localhost, evil.example"),
)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_rebound_name_is_not_answered(lab: Any, problem: Check, host: str) -> None:
    """A name of somebody else's that was made to point to this machine is 421."""
    told = problem(lab.get("/v1/networks", headers={"host": host}), 421)
    assert (f"Host: {host.lower()}" if host else "no Host") in str(told)
    problem(lab.get("/", headers={"host": host}), 421)


def test_two_hosts_are_none(lab: Any, problem: Check) -> None:
    """Which of two Host lines counts is not ours to guess."""
    twice = [("host", "evil.example"), ("host", "localhost")]
    problem(lab.get("/v1/networks", headers=twice), 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_pages_of_other_sites_are_not_answered(
    lab: Any, problem: Check, seven_png: bytes, headers: dict[str, str]
) -> None:
    """What a page of another site sends is 403, be it only asking or doing."""
    problem(lab.post("/v1/train", json={}, headers=headers), 403)
    problem(lab.get("/v1/networks", headers=headers), 403)
    kind = {"content-type": "image/png"}
    problem(lab.post("/v1/predict", content=seven_png, headers=headers | kind), 403)


def test_a_long_origin_is_cut(lab: Any, problem: Check) -> None:
    """What is told of it is a hundred characters."""
    origin = "https://" + "e" * 200
    told = problem(lab.get("/v1/networks", headers={"origin": origin}), 403)
    assert f"Origin: {origin[:100]}" in str(told)
    assert origin[:101] not in str(told)


def test_the_labs_own_page_is_answered(lab: Any) -> None:
    """What the lab's own page sends is answered, and so is a link to the page."""
    own = {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}
    assert lab.get("/v1/networks", headers=own).status_code == 200
    assert lab.get("/healthz", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_a_token_is_wanted_everywhere_but_at_the_door(open_lab: Any, problem: Check) -> None:
    """With a token nothing is told without it, but the page's files and whether it answers."""
    with open_lab("http://lab.example", host="0.0.0.0", token=TOKEN) as lab:
        for address in ("/v1/networks", "/metrics", "/docs", "/openapi.json", "/v1/own"):
            response = lab.get(address)
            problem(response, 401)
            assert response.headers["www-authenticate"].startswith("Bearer")
            wrong = {"authorization": "Bearer " + TOKEN[:-1]}
            problem(lab.get(address, headers=wrong), 401)
            right = {"authorization": f"Bearer {TOKEN}"}
            assert lab.get(address, headers=right).status_code == 200
        assert lab.get("/healthz").status_code == 200
        assert lab.get("/static/none.js").status_code == 404


def test_the_page_keeps_the_token_in_a_cookie(open_lab: Any, problem: Check) -> None:
    """/?token= sets a cookie that scripts and other sites cannot use, and then it is known."""
    with open_lab("http://lab.example", host="0.0.0.0", token=TOKEN) as lab:
        problem(lab.get("/", params={"token": "wrong"}), 401)
        opened = lab.get("/", params={"token": TOKEN})
        assert opened.status_code == 303
        assert opened.headers["location"] == "/"
        cookie = opened.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert cookie.startswith("digitlens_token_8000="), "other ports have other cookies"
        assert TOKEN not in cookie
        assert lab.get("/v1/networks").status_code == 200
        problem(lab.get("/v1/networks", headers={"origin": "http://evil.example"}), 403)


def test_a_strange_cookie_is_no_token(open_lab: Any, problem: Check) -> None:
    """A cookie that cannot be read is none."""
    with open_lab("http://lab.example", host="0.0.0.0", token=TOKEN) as lab:
        for cookie in ("digitlens_token", "digitlens_token=\xe9", "=;;=", 'digitlens_token="'):
            raw = {"cookie": cookie.encode("latin-1")}
            problem(lab.get("/v1/networks", headers=raw), 401)


def test_cookies_of_others_do_not_hide_the_token(open_lab: Any) -> None:
    """Whatever else runs on this host may have set cookies of any name."""
    name, value = middleware.make_cookie(TOKEN, ServerSettings().port)
    with open_lab("http://lab.example", host="0.0.0.0", token=TOKEN) as lab:
        for other in ("a/b=1", "a,b=1", "=", "\xe9=\xe9", f"{name}=other"):
            raw = {"cookie": f"{other}; {name}={value}".encode("latin-1")}
            assert lab.get("/v1/networks", headers=raw).status_code == 200, other


def test_every_answer_tells_the_browser_what_it_may_do(lab: Any) -> None:
    """Answers, problems and pages alike load nothing from elsewhere and stand in no frame."""
    for address in ("/healthz", "/none", "/docs", "/openapi.json"):
        headers = lab.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_other_hosts_want_a_good_token() -> None:
    """Outside loopback a token is needed, and a short or odd one is refused anywhere."""
    assert check_token("127.0.0.1", None) == check_token("localhost", None) == ""
    assert check_token("0.0.0.0", TOKEN) == check_token("::1", TOKEN) == TOKEN
    for host in ("0.0.0.0", "::", "192.168.1.5", "lab.example"):
        with pytest.raises(UsageError, match="a --token is needed"):
            check_token(host, None)
    for token in ("", "short", "é" * 20, "new\nline-new-line-new"):
        with pytest.raises(UsageError, match="at least 16 printable"):
            check_token("127.0.0.1", token)


def test_an_error_nobody_foresaw_tells_nothing_of_its_inside(
    lab: Any,
    problem: Check,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault of ours is a problem 500 without its message, which the lab's log has."""
    monkeypatch.setattr(lab.state.metrics, "as_text", lambda: 1 / 0)
    result = problem(lab.get("/metrics"), 500)
    assert "division" not in str(result)
    assert "division by zero" in caplog.text


def test_a_lab_that_is_ending_says_so(lab: Any, problem: Check) -> None:
    """Once the lab is asked to end, /healthz is 503: a load balancer sends no more requests."""
    lab.state.closing.set()
    assert problem(lab.get("/healthz"), 503)["detail"] == "the lab is ending"


def test_who_leaves_before_the_body_is_whole_fills_no_log(
    lab: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that goes is no fault of the lab's."""
    headers = [
        (b"host", b"localhost"),
        (b"content-length", b"9"),
        (b"content-type", b"image/png"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/v1/predict", "headers": headers}
    scope |= {"query_string": b"", "raw_path": b"/v1/predict", "http_version": "1.1"}
    scope |= {"scheme": "http", "client": ("127.0.0.1", 1), "server": ("localhost", 80)}

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        """Nobody is there to read it."""

    lab.run(lab.lab(scope, receive, send))
    assert caplog.text == ""


class Told(NamedTuple):
    """What was sent back, and what was counted."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    metrics: Metrics


def pass_by(
    app: Any,
    messages: list[dict[str, Any]],
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    **options: Any,
) -> Told:
    """Send a request through the middleware to `app`; `messages` are those of its body."""
    settings = ServerSettings(**options)
    metrics, budget = Metrics(), ByteBudget(1_000)
    lines = {"host": "localhost", "content-length": "5"} | (headers or {})
    pairs = [(name.encode(), value.encode()) for name, value in lines.items() if value]
    scope = {"type": "http", "method": method, "path": "/v1/predict", "headers": pairs}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(SecurityMiddleware(app, settings, metrics, budget)(scope, receive, send))
    assert budget.held == 0
    assert metrics.running == 0
    start = sent[0] if sent else {"status": 0, "headers": []}
    return Told(
        start["status"], dict(start["headers"]), sent[-1]["body"] if sent else b"", metrics
    )


async def drop(_message: Any) -> None:
    """Take what is sent, and keep none of it."""


async def read_all(scope: Any, receive: Any, send: Any) -> None:
    """Read a body and answer with its length; whoever left is noted."""
    count, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        count += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = [(b"cache-control", b"max-age=9")] if count == 1 else []
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"%d" % count})


def part(length: int, **more: bool) -> dict[str, Any]:
    """Return a part of a body."""
    return {"type": "http.request", "body": b"x" * length} | more


def test_a_body_of_the_largest_size_is_taken() -> None:
    """One byte more is not, be it told beforehand or counted; the limit is named."""
    assert pass_by(read_all, [part(3, more_body=True), part(2)], max_body_bytes=5).body == b"5"
    told = pass_by(read_all, [], {"content-length": "6"}, max_body_bytes=5)
    assert (told.status, b'"seen": "6 bytes"' in told.body) == (413, True)
    told = pass_by(read_all, [], {"content-length": "3145729"}, max_body_bytes=3 << 20)
    assert b"the limit is 3 MiB" in told.body
    chunked = {"content-length": "", "transfer-encoding": "chunked"}
    told = pass_by(read_all, [part(3, more_body=True), part(3)], chunked, max_body_bytes=5)
    assert (told.status, b"more than 5 bytes" in told.body) == (413, True)
    # A length that is none is the server's to refuse; the bytes are counted.
    assert pass_by(read_all, [part(2)], {"content-length": "+9"}, max_body_bytes=5).body == b"2"


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """One time for all of it, in words; where all has come nobody is hurried."""
    told = pass_by(read_all, [part(3, more_body=True)], body_seconds=0.01)
    assert (told.status, b'"seen": "3 bytes of its body"' in told.body) == (408, True)

    async def wait(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.1)
        await read_all(scope, lambda: asyncio.sleep(0, part(1)), send)

    assert pass_by(wait, [part(1)], body_seconds=0.01).body == b"1"


def test_more_than_the_lab_holds_at_a_time_is_turned_away() -> None:
    """Up to the last byte of the budget there is room."""
    assert pass_by(read_all, [part(1_000)], {"content-length": "1000"}).body == b"1000"
    told = pass_by(read_all, [part(1_001)], {"content-length": "1001"})
    assert (told.status, told.headers[b"retry-after"]) == (503, b"1")
    assert b"0 bytes are on their way, 1,000 may be" in told.body


def test_what_held_many_bytes_in_circles_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many bytes, and not only after so many objects."""
    monkeypatch.setattr(middleware, "COLLECT_BYTES", 10)
    held: list[weakref.ref[Any]] = []

    class Circle:
        """Stand for a body, and what holds itself by it."""

        def __init__(self) -> None:
            self.own = self
            held.append(weakref.ref(self))

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        Circle()
        await read_all(scope, receive, send)

    settings, metrics, budget = ServerSettings(), Metrics(), ByteBudget(1_000)
    lab = SecurityMiddleware(hold, settings, metrics, budget)
    scope = {"type": "http", "method": "POST", "path": "/v1/predict"}
    scope["headers"] = [(b"host", b"localhost"), (b"content-length", b"5")]
    gc.disable()
    try:
        for alive in (1, 0):
            asyncio.run(lab(scope, lambda: asyncio.sleep(0, part(5)), drop))
            assert sum(one() is not None for one in held) == alive
    finally:
        gc.enable()


def test_every_request_is_counted_once() -> None:
    """By method, status and time; names that a client invents are not kept."""
    told = pass_by(read_all, [part(5)])
    assert told.metrics.requests == {("other", "POST", 200): 1}
    assert 0 <= told.metrics.times["other"].total < 60
    assert list(pass_by(read_all, [part(5)], method="BREW").metrics.requests) == [
        ("other", "other", 200)
    ]
    gone = pass_by(read_all, [{"type": "http.disconnect"}])
    assert list(gone.metrics.requests) == [("other", "POST", 499)]


def test_an_answer_says_once_how_long_it_may_be_kept() -> None:
    """Not at all, unless it says so itself."""
    assert pass_by(read_all, [part(5)]).headers[b"cache-control"] == b"no-store"
    assert pass_by(read_all, [part(1)]).headers[b"cache-control"] == b"max-age=9"


def test_sockets_of_the_web_are_closed() -> None:
    """There are none here, and nobody is asked who they are."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    door = SecurityMiddleware(read_all, ServerSettings(), Metrics(), ByteBudget(0))
    asyncio.run(door({"type": "websocket", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
