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

from digitlens.server import serve

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


class Wire(asyncio.Transport):
    """A connection that notes what was written and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
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
        """Tell nothing."""
        return default


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer anything with an empty 200."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a head have a hundredth of a second."""
    monkeypatch.setattr(serve, "HEAD_SECONDS", 0.01)


def connected(act: Any) -> Wire:
    """Open a connection, let `act` send over it, and return it once it is closed."""

    async def life() -> Wire:
        config = uvicorn.Config(answer, log_config=None, lifespan="off", timeout_keep_alive=60)
        config.load()
        wire = Wire()
        protocol = serve.make_protocol()(
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
