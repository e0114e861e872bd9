"""uvicorn's time limits, and what a lab loads."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from digitlens.server import serve as limits

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

    abort = close

    def is_closing(self) -> bool:
        """Say whether it was closed."""
        return self.closed

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Note from how many bytes on that nobody takes it says so."""
        self.limit = high

    def pause_reading(self) -> None:
        """Read on: clients here send what they like."""

    resume_reading = pause_reading

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


def connected(act: Any, limits: ModuleType = limits) -> Wire:
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


def with_h11(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module as it is where there is no parser in C."""
    monkeypatch.setitem(sys.modules, "uvicorn.protocols.http.httptools_impl", None)
    spec = importlib.util.spec_from_file_location("protocol_with_h11", limits.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("parser", ["httptools", "h11"])
def test_requests_sent_ahead_are_bounded(monkeypatch: pytest.MonkeyPatch, parser: str) -> None:
    """Who asks again and again and reads no answer fills no memory."""
    module = limits if parser == "httptools" else with_h11(monkeypatch)
    sent = 0

    async def flood(protocol: Any, wire: Wire) -> None:
        nonlocal sent
        while not wire.closed:
            protocol.data_received((HEAD + b"\r\n") * 100)
            sent += 100
            assert sent < 3_000

    connected(flood, module)


def test_a_few_requests_sent_ahead_are_answered() -> None:
    """As HTTP wants it, in their order."""

    async def send_ahead(protocol: Any, wire: Wire) -> None:
        last = HEAD + b"Connection: close\r\n\r\n"
        protocol.data_received((HEAD + b"\r\n") * limits.MAX_AHEAD + last)

    assert connected(send_ahead).written.count(b"200 OK") == limits.MAX_AHEAD + 1


def test_an_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes and its connection are not held for as long as the client likes."""
    monkeypatch.setattr(limits, "TAKE_SECONDS", 0.01)
    monkeypatch.setattr(limits, "HEAD_SECONDS", 60)

    async def take(protocol: Any, wire: Wire) -> None:
        assert wire.limit == 0
        protocol.data_received(HEAD + b"\r\n")
        protocol.pause_writing()
        protocol.resume_writing()
        assert protocol._take_timer is None
        protocol.pause_writing()

    connected(take)


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


KEPT = """
import json, os, threading
from digitlens.server.serve import return_memory

def count():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def decode():
    rows = [bytearray(8 << 20)]
    rows.clear()
    small = []
    for _ in range(4):
        rows += [bytearray(2 << 20) for _ in range(8)]
        small.append(bytearray(100_000))
        rows.clear()
    kept.append(small)
    ready.wait()

return_memory()
kept, ready, before = [], threading.Barrier(9), count()
threads = [threading.Thread(target=decode) for _ in range(8)]
for thread in threads:
    thread.start()
ready.wait()
print(count() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is measured in /proc")
def test_memory_that_pictures_took_goes_back() -> None:
    """Each thread would keep for good what it once took for a large picture."""

    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, check=True)
    assert int(done.stdout) < 10e6, "it is 137 MB with glibc as it is"


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
