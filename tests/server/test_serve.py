"""uvicorn's time limits, and what a lab loads."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from digitlens.server import protocol as limits

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


class Wire(asyncio.Transport):
    """A connection that notes what was written and whether it was closed."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__()
        self.host = host
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        """Note what is written."""
        self.written += data

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def is_closing(self) -> bool:
        """Say whether it was closed."""
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell who is at the other end, and nothing else."""
        return (self.host, 5_000) if name == "peername" else default


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer anything with an empty 200."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a head have a hundredth of a second."""
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.01)


def connected(act: Any) -> Wire:
    """Open a connection, let `act` send over it, and return it once it is closed."""

    async def life() -> Wire:
        config = uvicorn.Config(answer, log_config=None, lifespan="off", timeout_keep_alive=60)
        config.load()
        wire = Wire()
        protocol = limits.make_protocol()(
            config=config, server_state=ServerState(), app_state={}
        )
        protocol.connection_made(wire)
        async with asyncio.timeout(10):
            await act(protocol, wire)
            while not wire.closed:
                await asyncio.sleep(0.001)
        protocol.connection_lost(None)
        return wire

    return asyncio.run(life())


def test_a_connection_that_says_nothing_is_closed() -> None:
    """Who connects and sends no request is not waited for."""

    async def nothing(protocol: Any, wire: Wire) -> None:
        return

    assert connected(nothing).written == b""


def test_a_head_that_comes_byte_by_byte_is_closed() -> None:
    """A head that never ends is not waited for either, however busily it comes."""

    async def drip(protocol: Any, wire: Wire) -> None:
        for byte in HEAD * 100:
            if wire.closed:
                return
            protocol.data_received(bytes([byte]))
            await asyncio.sleep(0.001)

    assert b"200 OK" not in connected(drip).written


def test_a_second_head_is_timed_too() -> None:
    """On a connection that was answered once, half a second request is closed."""

    async def twice(protocol: Any, wire: Wire) -> None:
        protocol.data_received(HEAD + b"\r\n")
        while b"\r\n\r\n" not in wire.written:
            await asyncio.sleep(0.001)
        assert not wire.closed
        protocol.data_received(HEAD)

    assert b"200 OK" in connected(twice).written


ENDLESS = {
    "lines without end": (HEAD, b"X1: a\r\n"),
    "a line without end": (HEAD + b"X1: ", b"a" * 1_000),
    "an address without end": (b"GET /", b"a" * 1_000),
    "trailers without end": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
        b"X1: a\r\n",
    ),
}


@pytest.mark.parametrize(("begin", "more"), ENDLESS.values(), ids=ENDLESS)
def test_a_head_without_end_is_refused_while_it_is_small(begin: bytes, more: bytes) -> None:
    """Before a token is asked for, however fast it comes."""
    sent = 0

    async def flood(protocol: Any, wire: Wire) -> None:
        nonlocal sent
        protocol.data_received(begin)
        while not wire.closed:
            protocol.data_received(more * 50)
            sent += 50 * len(more)
            assert sent < 4 * limits.MAX_HEAD_BYTES

    wire = connected(flood)
    assert wire.written.count(b"HTTP/1.1") == 1 or b"chunked" in begin


def test_a_long_body_is_no_long_head() -> None:
    """What a body brings is counted elsewhere, in small chunks as in large ones."""

    async def upload(protocol: Any, wire: Wire) -> None:
        head = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        protocol.data_received(head)
        for _ in range(20):
            protocol.data_received(b"1\r\na\r\n" * 1_000)
        protocol.data_received(b"0\r\n\r\n")

    assert b"200 OK" in connected(upload).written


def test_silent_connections_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who connects and asks nothing cannot keep others out: the oldest such one is closed."""
    monkeypatch.setattr(limits, "CROWDED", 3)
    monkeypatch.setattr(limits, "HEAD_SECONDS", 60)

    async def fill(protocol: Any, wire: Wire) -> None:
        others = [Wire() for _ in range(2)]
        for other in others:
            type(protocol)(
                config=protocol.config, server_state=protocol.server_state, app_state={}
            ).connection_made(other)
        assert [wire.closed, *(other.closed for other in others)] == [True, False, False]

    # The protocol that `connected` opened came first.
    assert connected(fill).closed


def test_one_client_has_only_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Except for this machine itself, where a proxy may stand."""
    monkeypatch.setattr(limits, "MAX_PER_CLIENT", 1)
    monkeypatch.setattr(limits, "HEAD_SECONDS", 60)

    async def connect_twice(protocol: Any, wire: Wire) -> None:
        for host, closed in (("192.0.2.7", [False, True]), ("127.0.0.1", [False, False])):
            peers = [Wire(host) for _ in range(2)]
            for peer in peers:
                type(protocol)(
                    config=protocol.config, server_state=protocol.server_state, app_state={}
                ).connection_made(peer)
            assert [peer.closed for peer in peers] == closed
        wire.close()

    connected(connect_twice)


def test_a_lab_loads_nothing_of_training() -> None:
    """Serving loads neither torch nor matplotlib: a lab starts at once, and stays small."""
    code = (
        "import json, sys, digitlens.server.serve\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "fastapi" in loaded
    assert not loaded & {"torch", "matplotlib", "onnx", "sklearn", "keras", "scipy"}
    assert "cv2" not in loaded, "it is loaded for the first picture that wants it"
