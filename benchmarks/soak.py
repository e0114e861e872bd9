"""The lab's HTTP service among clients that mean no good: memory, and honest ones answered.

    python benchmarks/soak.py --seconds 600

64 clients at once: 40 honest ones ask for digits, one after the other; three each of eight
kinds are hostile, from addresses of their own on loopback. They send heads byte by byte,
header lines without end, bodies of the largest size and beyond, bodies that are cut off, what
is no picture and no JSON, pictures that unpack to very much, hold many silent connections, or
never read their answers. The exit code is 1 where an honest client saw an error, or the
service with its processes held more than 600 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import struct
import sys
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from service import make_bodies, make_request, read_memory, run_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

HONEST = 40
EACH_KIND = 3
MAX_MEMORY = 600e6
# An honest client gives up after this time, as programs do.
PATIENCE = 60.0
ADDRESSES = (
    *("/v1/predict", "/v1/read", "/v1/explain", "/v1/route", "/v1/own", "/v1/train"),
    *("/v1/mail/pieces", "/v1/networks/cnn", "/v1/look", "/v1/nothing"),
)


class Soak:
    """What the clients share: the service, the end, and what became of their requests."""

    def __init__(self, host: str, port: int, seconds: float, seed: int) -> None:
        self.host, self.port = host, port
        self.end = time.monotonic() + seconds
        self.rng = random.Random(seed)
        self.bodies = [
            make_request(body, host, port, "/v1/predict") for body in make_bodies("framed", 100)
        ]
        self.times: list[float] = []
        self.errors: Counter[str] = Counter()
        self.hostile: Counter[str] = Counter()

    @property
    def left(self) -> float:
        """Seconds until the end."""
        return self.end - time.monotonic()

    @contextlib.asynccontextmanager
    async def connect(
        self, source: str
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Give a connection from an address of loopback."""
        reader, writer = await asyncio.open_connection(
            self.host, self.port, local_addr=(source, 0)
        )
        try:
            yield reader, writer
        finally:
            writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> int:
    """Send a request, and return the status of its answer, read whole."""
    writer.write(body)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12])


async def be_honest(soak: Soak) -> None:
    """Ask for digits; a connection that was closed between requests is opened again, once."""
    while soak.left > 0:
        with contextlib.suppress(OSError):
            async with soak.connect("127.0.0.1") as (reader, writer):
                is_new = True
                while soak.left > 0:
                    begun = time.monotonic()
                    try:
                        async with asyncio.timeout(PATIENCE):
                            status = await ask(reader, writer, soak.rng.choice(soak.bodies))
                    except TimeoutError:
                        soak.errors["no answer in a minute"] += 1
                        break
                    except (OSError, asyncio.IncompleteReadError) as error:
                        if is_new:
                            soak.errors[type(error).__name__] += 1
                        break
                    soak.times.append(time.monotonic() - begun)
                    soak.errors[str(status)] += status != 200
                    is_new = False


def make_head(address: str, length: int | str, kind: str = "image/png") -> bytes:
    """Return the head of a request."""
    how = "Transfer-Encoding: chunked" if length == "chunked" else f"Content-Length: {length}"
    return (
        f"POST {address} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{how}\r\n\r\n"
    ).encode()


async def send_slow_head(soak: Soak, source: str) -> None:
    """Send a head byte by byte."""
    async with soak.connect(source) as (reader, writer):
        for byte in make_head("/v1/predict", 10):
            writer.write(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                if not await asyncio.wait_for(reader.read(1), 0.5):
                    return


async def flood_with_lines(soak: Soak, source: str) -> None:
    """Send header lines without end."""
    async with soak.connect(source) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        for number in itertools.count():
            writer.write(b"X%d: a\r\n" % number * 1000)
            await writer.drain()


async def send_large_body(soak: Soak, source: str) -> None:
    """Send a body of the largest size, of numbers or nothing at all, or one without end."""
    address = soak.rng.choice(ADDRESSES)
    async with soak.connect(source) as (reader, writer):
        match soak.rng.randrange(3):
            case 0:
                row = b"[" + b"0," * 783 + b"0],"
                body = b'{"pictures": [' + row * 9_000 + b"[]]}"
                writer.write(make_head(address, len(body), "application/json") + body)
            case 1:
                writer.write(make_head(address, 16 << 20) + bytes(16 << 20))
            case _:
                writer.write(make_head(address, "chunked"))
                while True:
                    writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                    await writer.drain()
        await note_answer(soak, reader)


async def cut_body(soak: Soak, source: str) -> None:
    """Send half of a body, and go."""
    async with soak.connect(source) as (_, writer):
        writer.write(make_head(soak.rng.choice(ADDRESSES), 2_000_000) + bytes(1_000_000))
        await writer.drain()
        await asyncio.sleep(soak.rng.random())


async def send_nonsense(soak: Soak, source: str) -> None:
    """Send what is no picture and no JSON, or JSON of wrong types."""
    texts: list[object] = [
        {"pictures": [[[1e308] * 28] * 28]},
        {"pictures": "a"},
        {"pictures": [None, {}, [[]]]},
        {"label": -1, "picture": [[True]], "box": [1e308, -1e308, 0, 0]},
        [],
        "NaN",
    ]
    body = json.dumps(soak.rng.choice(texts)).encode()
    bodies = [
        body,
        soak.rng.randbytes(3_000),
        b"[" * 100_000,
        b'{"a": NaN}',
        b"\x89PNG\r\n\x1a\n",
    ]
    content = soak.rng.choice(bodies)
    kind = soak.rng.choice(["application/json", "image/png", "multipart/form-data; boundary=a"])
    async with soak.connect(source) as (reader, writer):
        head = make_head(soak.rng.choice(ADDRESSES), len(content), kind)
        writer.write(head + content)
        await note_answer(soak, reader)


def make_bomb(side: int) -> bytes:
    """Return a small PNG file of a very large black picture."""
    rows = zlib.compress(b"\0" * (side // 8 + 1) * side, 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


BOMBS = [make_bomb(side) for side in (6_900, 8_000, 20_000)]


async def send_bomb(soak: Soak, source: str) -> None:
    """Send a small file of very many pixels: just below the limit, or beyond it."""
    content = soak.rng.choice(BOMBS)
    address = soak.rng.choice(["/v1/predict", "/v1/explain", "/v1/predict?frame=false"])
    async with soak.connect(source) as (reader, writer):
        writer.write(make_head(address, len(content)) + content)
        await note_answer(soak, reader)


async def hold_many(soak: Soak, source: str) -> None:
    """Hold many connections on which nothing is said."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(100):
            await stack.enter_async_context(soak.connect(source))
        await asyncio.sleep(min(8.0, max(soak.left, 0.0)))


async def read_nothing(soak: Soak, source: str) -> None:
    """Ask again and again for what is long, and read no answer."""
    async with soak.connect(source) as (_, writer):
        request = b"GET /v1/networks HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                while True:
                    writer.write(request * 20)
                    await writer.drain()


async def note_answer(soak: Soak, reader: asyncio.StreamReader) -> None:
    """Note the status of an answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n"), PATIENCE)
    soak.hostile[head[9:12].decode("ascii", "replace")] += 1


KINDS: tuple[Callable[[Soak, str], Awaitable[None]], ...] = (
    *(send_slow_head, flood_with_lines, send_large_body, cut_body),
    *(send_nonsense, send_bomb, hold_many, read_nothing),
)


async def be_hostile(
    soak: Soak, attack: Callable[[Soak, str], Awaitable[None]], source: str
) -> None:
    """Attack again and again; that a connection is closed is what should come of it."""
    while soak.left > 0:
        try:
            async with asyncio.timeout(max(soak.left, 0.1) + 5):
                await attack(soak, source)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            soak.hostile[f"{attack.__name__} closed"] += 1
        await asyncio.sleep(0.02)


def read_tree(pid: int) -> int:
    """Return the bytes of memory that a process and those that it began hold."""
    memory = read_memory(pid)
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError, IndexError):
            memory += sum(map(read_tree, map(int, path.read_text().split())))
    return memory


async def play(soak: Soak, pid: int) -> int:
    """Let all clients loose until the end; return the most memory that the service held."""
    tasks = [asyncio.create_task(be_honest(soak)) for _ in range(HONEST)]
    for number, attack in enumerate(KINDS * EACH_KIND):
        source = f"127.0.1.{number + 1}"
        tasks.append(asyncio.create_task(be_hostile(soak, attack, source)))
    most, told = 0, time.monotonic()
    while soak.left > 0:
        await asyncio.sleep(0.25)
        memory = read_tree(pid)
        most = max(most, memory)
        if time.monotonic() > told + 15:
            told = time.monotonic()
            row = f"{soak.left:5.0f} s left  {len(soak.times)} honest answers"
            print(f"{row}  {memory / 1e6:.0f} MB (at most {most / 1e6:.0f})", flush=True)
    print("waiting for the last answers", flush=True)
    _, late = await asyncio.wait(tasks, timeout=PATIENCE)
    for task in late:
        task.cancel()
    return most


def main() -> int:
    """Soak the service and print what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with run_server() as (host, port, pid):
        soak = Soak(host, port, chosen.seconds, chosen.seed)
        most = asyncio.run(play(soak, pid))
        # Told before the service ends, which may take a minute.
        errors = +soak.errors
        p50, p99 = 1e3 * np.quantile(soak.times or [np.inf], (0.5, 0.99))
        print(f"honest: {len(soak.times)} answers, p50 {p50:.0f} ms, p99 {p99:.0f} ms")
        print(f"honest, errors: {dict(errors) or 'none'}")
        print(f"hostile: {dict(sorted(soak.hostile.items()))}")
        print(f"the service held at most {most / 1e6:.0f} MB", flush=True)
    return 1 if errors or most > MAX_MEMORY or not soak.times else 0


if __name__ == "__main__":
    sys.exit(main())
