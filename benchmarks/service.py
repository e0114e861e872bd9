"""The lab's HTTP service: answers one by one, 64 clients at once, start, memory.

    make bench-service

`digitlens serve` runs in a process of its own, and this one asks over loopback, so that both
share the machine's cores. One client asks 2,000 times on one connection, with three kinds of
pictures: a digit in MNIST's frame (PNG, 28 x 28), the same dark on light (it has to be
framed), and a drawing of 280 x 280 as a page sends it. Then 64 clients ask without a pause,
each as soon as it has its answer, for 60 seconds, with digits in MNIST's frame, and the
server's memory is read every 5 seconds. Start is from the process to the first answer, three
times, the median.

With --route it is measured what a sorter has: 64 clients send envelopes (`digitlens mail
sample`) to `/v1/route` without a pause, each piece ROUNDS times in all, and `digitlens route`
reads the same pieces before and after, start of its processes included. A client that is told
to ask again in so many seconds (503 with Retry-After) does so.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peer import keep, machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CLIENTS = 64
SINGLES = 2000
STARTS = 3
ROUNDS = 2
MEMORY_SECONDS = 5.0
ADDRESS = re.compile(r"http://([\d.]+):(\d+)/")


@contextlib.contextmanager
def run_server() -> Iterator[tuple[str, int, int]]:
    """Run `digitlens serve`; give its host, port and process, and end it with SIGTERM."""
    command = [sys.executable, "-m", "digitlens", "serve", "--port", "0"]
    with tempfile.TemporaryDirectory(prefix="digitlens-bench-") as folder:
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None, "it was asked for"
        try:
            result = None
            while result is None:
                line = process.stderr.readline()
                if not line:
                    raise RuntimeError("the lab did not start")
                result = ADDRESS.search(line)
            # Read to the end: a full pipe would stop the service.
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
            yield result[1], int(result[2]), process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=120)  # whatever hangs, it ends itself before


def _drain(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, end="", file=sys.stderr)


def make_bodies(kind: str, count: int) -> list[bytes]:
    """Return requests' bodies of one kind, from the digits that come with digitlens."""
    from PIL import Image

    from digitlens import load_digits
    from digitlens.imaging.normalize import is_framed

    result = []
    images = load_digits("uci").test.images
    for image in images[is_framed(images)][:count]:
        pixels = image
        if kind != "framed":
            pixels = 255 - pixels
        if kind == "drawing":
            drawn = Image.fromarray(pixels).resize((280, 280), Image.Resampling.BICUBIC)
            pixels = np.asarray(drawn)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        result.append(buffer.getvalue())
    return result


class Client(asyncio.Protocol):
    """A client that does nothing but ask: it must not be what is measured."""

    def __init__(self, requests: list[bytes], done: Any) -> None:
        self.requests = requests
        self.done = done
        self.index = 0
        self.received = b""
        self.start = self.first = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to ask."""
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send the next picture."""
        self.first = time.perf_counter()
        self.index += 1
        self.send()

    def send(self) -> None:
        """Send a picture, perhaps again."""
        assert self.transport is not None, "it is connected"
        self.start = time.perf_counter()
        self.transport.write(self.requests[(self.index - 1) % len(self.requests)])

    def data_received(self, data: bytes) -> None:
        """Take an answer; ask again when it is whole."""
        self.received += data
        head, mark, body = self.received.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.received = b""
        status, now = int(head[9:12]), time.perf_counter()
        after = head.lower().partition(b"retry-after:")[2].split(b"\r\n")[0]
        if status == 503 and after:
            self.done(status, 0.0, 0.0)
            asyncio.get_running_loop().call_later(int(after), self.send)
        elif self.done(status, now - self.start, now - self.first):
            self.ask()
        elif self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that was lost while an answer was awaited."""
        if exc is not None:
            self.done(0, 0.0, 0.0)


@dataclass
class ClientResults:
    """The times and errors that clients saw.

    times: of those that were answered; `whole` counts from when they asked the first time
    later: how often a client was told to ask again in so many seconds, which is no error
    """

    times: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: int = 0
    later: int = 0
    seconds: float = 0.0

    def milliseconds(self, share: float) -> float:
        """Return the time that `share` of the requests were answered in."""
        return 1e3 * float(np.quantile(self.times, share))


def make_request(body: bytes, host: str, port: int, path: str) -> bytes:
    """Return a whole request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: image/png\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(
    host: str,
    port: int,
    bodies: list[bytes],
    *,
    clients: int,
    limit: int,
    seconds: float,
    path: str = "/v1/predict",
) -> ClientResults:
    """Let `clients` ask, in all `limit` times or for so many seconds."""
    requests = [make_request(body, host, port, path) for body in bodies]
    results, loop = ClientResults(), asyncio.get_running_loop()
    start, finished = time.perf_counter(), asyncio.Event()
    end = start + seconds

    def done(status: int, took: float, whole: float) -> bool:
        if status == 503:
            results.later += 1
            return False
        results.times.append(took)
        results.whole.append(whole)
        results.errors += status != 200
        if len(results.times) >= limit or time.perf_counter() > end:
            results.seconds = results.seconds or time.perf_counter() - start
            finished.set()
            return False
        return True

    for index in range(clients):
        own = requests[index % len(requests) :] + requests[: index % len(requests)]
        await loop.create_connection(lambda own=own: Client(own, done), host, port)  # type: ignore[misc]
    await finished.wait()
    await asyncio.sleep(0.5)
    return results


async def ask_with_many(host: str, port: int, pid: int, seconds: float) -> dict[str, Any]:
    """Let 64 clients ask; return what they saw and the server's memory over time."""
    memory: list[int] = []

    async def watch() -> None:
        while True:
            memory.append(read_memory(pid))
            await asyncio.sleep(MEMORY_SECONDS)

    bodies = make_bodies("framed", 200)
    await ask(host, port, bodies, clients=CLIENTS, limit=1_000_000, seconds=3)  # warm
    watcher = asyncio.create_task(watch())
    cpu = read_cpu_seconds(pid)
    results = await ask(host, port, bodies, clients=CLIENTS, limit=10_000_000, seconds=seconds)
    used = read_cpu_seconds(pid) - cpu
    watcher.cancel()
    return {
        "per_second": len(results.times) / seconds,
        "errors": results.errors,
        "p50": results.milliseconds(0.5),
        "p99": results.milliseconds(0.99),
        "cpu_ms": 1e3 * used / len(results.times),
        "memory": [item / 1e6 for item in memory],
    }


def read_memory(pid: int) -> int:
    """Return the bytes of memory that a process holds."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def read_cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and those that it started have used."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = stat.rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(read_cpu_seconds, list_children(pid)))


def list_children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for item in tasks for child in item.read_text("ascii").split()]


def measure_start() -> float:
    """Return the seconds from the process to its first answer."""
    import http.client

    body = make_bodies("framed", 1)[0]
    began = time.perf_counter()
    with run_server() as (host, port, _):
        connection = http.client.HTTPConnection(host, port)
        connection.request("POST", "/v1/predict", body, {"Content-Type": "image/png"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        json.loads(answer.read())
        took = time.perf_counter() - began
        connection.close()
    return took


async def measure(seconds: float) -> tuple[dict[str, ClientResults], dict[str, Any]]:
    """Ask one lab one by one, then with 64 clients."""
    with run_server() as (host, port, pid):
        ones = {}
        for kind in ("framed", "dark", "drawing"):
            bodies = make_bodies(kind, 200)
            await ask(host, port, bodies, clients=1, limit=200, seconds=60)
            ones[kind] = await ask(host, port, bodies, clients=1, limit=SINGLES, seconds=60)
        return ones, await ask_with_many(host, port, pid, seconds)


def measure_route(pieces: int) -> list[str]:
    """Return rows of the table: `/v1/route` beside `route` on the same pieces."""
    with tempfile.TemporaryDirectory(prefix="digitlens-bench-") as name:
        root = Path(name)

        def run(*arguments: str) -> str:
            command = [sys.executable, "-m", "digitlens", *arguments]
            done = subprocess.run(
                command, cwd=root, check=False, capture_output=True, text=True
            )
            assert done.returncode in (0, 3), done.stderr
            return done.stdout

        def route(out: str) -> float:
            text = run("route", "mail", "--plan", "plan.toml", "--out", out, "--json")
            summary = json.loads(text)
            return float(summary["new"] / summary["seconds"])

        run("mail", "sample", str(pieces), "--out", "mail")
        run("mail", "plan", "--by", "state", "--out", "plan.toml")
        bodies = [path.read_bytes() for path in sorted((root / "mail").glob("*.jpg"))]
        assert len(bodies) == pieces, "each piece is a picture"
        rates = [route("before")]
        results, cpu, memory = asyncio.run(_ask_route(bodies))
        rates.append(route("after"))
    count = len(results.times)
    return [
        f"| `/v1/route`, {CLIENTS} clients without a pause, {count} pieces | "
        f"{count / results.seconds:.1f} pieces/s, {results.errors} errors, "
        f"p50 {results.milliseconds(0.5):,.0f} ms, p99 {results.milliseconds(0.99):,.0f} ms, "
        f"{1e3 * cpu / count:.0f} ms of processor time each; {results.later} times a client "
        f"was told to ask again later, with which a piece takes "
        f"{np.quantile(results.whole, 0.5):.1f} s (p50) and "
        f"{np.quantile(results.whole, 0.99):.1f} s (p99); {memory / 1e6:.0f} MB |",
        f"| `route` of the same {pieces}, before and after | "
        f"{rates[0]:.1f} and {rates[1]:.1f} pieces/s |",
    ]


async def _ask_route(bodies: list[bytes]) -> tuple[ClientResults, float, int]:
    with run_server() as (host, port, pid):
        path = "/v1/route"
        await ask(host, port, bodies, clients=2, limit=8, seconds=60, path=path)  # warm
        before, limit = read_cpu_seconds(pid), ROUNDS * len(bodies)
        results = await ask(
            host, port, bodies, clients=CLIENTS, limit=limit, seconds=300, path=path
        )
        memory = sum(map(read_memory, [pid, *list_children(pid)]))
        return results, read_cpu_seconds(pid) - before, memory


WORDS = {
    "framed": "one digit in MNIST's frame, one client",
    "dark": "the same dark on light, to be framed",
    "drawing": "a drawing of 280 x 280, to be framed",
}


def main() -> None:
    """Run the benchmark; with --write keep its table in benchmarks/results/service.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--route", type=int, default=0, metavar="PIECES")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.route:
        print("\n".join(measure_route(options.route)))
        return
    start = statistics.median(measure_start() for _ in range(STARTS))
    ones, many = asyncio.run(measure(options.seconds))
    rows = [
        f"| {words} | p50 {ones[kind].milliseconds(0.5):.1f} ms, "
        f"p99 {ones[kind].milliseconds(0.99):.1f} ms |"
        for kind, words in WORDS.items()
    ]
    memory = many["memory"]
    rows += [
        f"| {CLIENTS} clients without a pause, {options.seconds:.0f} s | "
        f"{many['per_second']:,.0f} requests/s, {many['errors']} errors, "
        f"p50 {many['p50']:.0f} ms, p99 {many['p99']:.0f} ms, "
        f"{many['cpu_ms']:.2f} ms of processor time each |",
        f"| memory over these | {memory[0]:.0f} MB at the start, {memory[-1]:.0f} at the end, "
        f"at most {max(memory):.0f} |",
        f"| start to the first answer | {start:.2f} s |",
    ]
    foot = f"{machine()}; clients on the same machine; {time.strftime('%Y-%m-%d')}."
    text = "\n".join(["| service | |", "|---|---|", *rows, "", foot]) + "\n"
    if options.write:
        keep("service", text)
    else:
        print(text)


if __name__ == "__main__":
    main()
