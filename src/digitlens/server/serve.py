"""uvicorn with limits for slow and long heads, and a shutdown that finishes what was begun."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import queue
import signal
import socket
import sys
import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import uvicorn

from digitlens.errors import UsageError
from digitlens.server.app import Lab
from digitlens.server.settings import is_loopback
from digitlens.server.train_jobs import STOP_SECONDS

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
except ImportError:
    # h11 bounds heads itself.
    from uvicorn.protocols.http.h11_impl import (  # type: ignore[assignment]
        H11Protocol as Base,
    )

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from digitlens.server.review_desk import ReviewDesk
    from digitlens.server.settings import ServerSettings


# A connection that has not sent the head of its first request by then is closed.
HEAD_SECONDS = 10
# With so many connections, a new one takes the place of the oldest that asks nothing.
CROWDED = 384
# The most connections of one client at one time; this machine itself may have more.
MAX_PER_CLIENT = 128
# An answer that nobody takes is given up after this time, with its connection.
TAKE_SECONDS = 30
# Requests of one connection that may wait while another one of it is answered: uvicorn parses
# whatever comes meanwhile, and each costs a hundred times its bytes. Browsers send none ahead.
MAX_AHEAD = 16
# Bytes of a head, or of what comes between the parts of a body; and header lines.
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
# A connection that is kept open for a next request is closed after this time.
IDLE_SECONDS = 30
# Requests under way are given this time to end.
SHUTDOWN_SECONDS = 30
# After this time the process ends, whatever hangs: requests and training have theirs before.
LAST_SECONDS = SHUTDOWN_SECONDS + STOP_SECONDS + 10
# Connections at one time; more are answered 503 at once.
MAX_CONNECTIONS = 512
# How long one thread may hold the interpreter while another waits: 5 ms would be felt.
SWITCH_SECONDS = 0.001
# What glibc is told, by the numbers of its malloc.h. From M_MMAP_THRESHOLD bytes on memory goes
# back to the system when it is free, pictures above all: it would otherwise raise that to
# 32 MB, and keep up to 64 MB for each of M_ARENA_MAX, eight a processor.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MALLOC = {M_ARENA_MAX: 2, M_MMAP_THRESHOLD: 1 << 20, M_TRIM_THRESHOLD: 8 << 20}


# Objects after which the garbage collector looks for circles: each connection leaves some. The
# command waits for far more, as importing torch makes a million objects and no circles.
GARBAGE = (10_000, 20, 20)


class BoundedProtocol(Base):
    """uvicorn's HTTP protocol; a connection that is slow or long in asking is closed.

    uvicorn itself waits for ever on a silent connection, for a head that comes byte by byte, or
    for a client to take its answer; and it keeps as many header lines, and as many requests of
    one connection, as are sent, before anybody asks for a token.
    """

    silent: ClassVar[dict[Any, None]] = {}
    """Connections on which no request is being answered, the oldest first."""

    clients: ClassVar[Counter[str]] = Counter()
    """Connections by the address of the other end."""

    _timer: asyncio.TimerHandle | None = None
    _take_timer: asyncio.TimerHandle | None = None
    _asked: tuple[Any, ...] = ()  # what was asked and is not answered yet
    _unread = 0  # bytes that have become neither a head nor a part of a body yet
    _lines = 0
    _host = ""

    def connection_made(self, transport: Any) -> None:
        """Count the connection; where it is crowded, close one that asks nothing."""
        super().connection_made(transport)
        # What the system does not take at once is what the client does not take.
        transport.set_write_buffer_limits(0)
        self._host = self.client[0] if self.client else ""
        self.clients[self._host] += 1
        if self.clients[self._host] > MAX_PER_CLIENT and not is_loopback(self._host):
            transport.close()
        elif len(self.connections) >= CROWDED and self.silent:
            oldest = next(iter(self.silent))
            del self.silent[oldest]
            oldest.transport.close()
        self._update_timer()

    def data_received(self, data: bytes) -> None:
        """Parse what came in, as long as heads stay small."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_HEAD_BYTES and hasattr(self, "parser"):
            self._refuse_head()
        # h11 keeps the bytes of requests that wait, not the requests.
        if hasattr(self, "conn") and len(self.conn.trailing_data[0]) > MAX_HEAD_BYTES:
            self.transport.close()
        self._update_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        self._stop_timer()
        self._stop_take_timer()
        self.silent.pop(self, None)
        # uvicorn tells only what was asked last, and goes on with what was asked before.
        for cycle in self._asked:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._asked = ()
        self.clients[self._host] -= 1
        if not self.clients[self._host]:
            del self.clients[self._host]
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for a next request."""
        super().on_response_complete()
        if self._is_silent():
            self.silent[self] = None

    # What the transport calls, when it holds bytes that the client does not take, and no more.
    def pause_writing(self) -> None:
        """Give the client a time to take what was written."""
        super().pause_writing()
        if self._take_timer is None:
            self._take_timer = self.loop.call_later(TAKE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: all was taken."""
        self._stop_take_timer()
        super().resume_writing()

    def _stop_take_timer(self) -> None:
        if self._take_timer is not None:
            self._take_timer.cancel()
            self._take_timer = None

    # What the parser in C calls.
    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header line; trailers behind a body are headers too."""
        self._lines += 1
        if self._lines <= MAX_HEADERS:
            super().on_header(name, value)
        else:
            self._refuse_head()

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head was refused or too many wait."""
        self._unread = 0
        if len(self.pipeline) >= MAX_AHEAD:
            self.transport.close()
        if not self.transport.is_closing():
            super().on_headers_complete()
            left = [cycle for cycle in self._asked if not cycle.response_complete]
            self._asked = (*left, self.cycle)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Be ready for a next head."""
        self._unread = self._lines = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, once."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _refuse_head(self) -> None:
        if not self.transport.is_closing():
            if self._is_silent():
                self.transport.write(HEAD_TOO_LARGE)
            self.transport.close()

    def _is_silent(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    # Called whenever something came in. The timer covers silence between requests too.
    def _update_timer(self) -> None:
        """Run the timer whenever no request is being answered."""
        if not self._is_silent():
            self._stop_timer()
            self.silent.pop(self, None)
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._close_idle)
            self.silent[self] = None

    def _close_idle(self) -> None:
        self._timer = None
        if self._is_silent():
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def make_protocol() -> type[BoundedProtocol]:
    """Return the protocol of one server, which counts the connections of its own."""
    return type("Protocol", (BoundedProtocol,), {"silent": {}, "clients": Counter()})


class Server(uvicorn.Server):
    """uvicorn's server, which exits with code 0 when it was asked to end."""

    def __init__(self, config: uvicorn.Config, lab: Lab, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._lab = lab
        self._on_ready = on_ready
        self._closing: asyncio.Task[None] | None = None
        self._asked: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._ended = threading.Event()
        threading.Thread(target=self._end_at_last, daemon=True).start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Shut down on Ctrl-C and SIGTERM; a second one ends at once."""
        # A signal handler may run between any two instructions: it only wakes others.
        loop = asyncio.get_running_loop()

        def handle(_number: int, _frame: FrameType | None) -> None:
            self._asked.put(None)
            loop.call_soon_threadsafe(self._shut_down)

        before = {
            number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._ended.set()
            self._asked.put(None)

    def _end_at_last(self) -> None:
        """End the process if it was asked to and does not, event loop or not."""
        self._asked.get()
        if not self._ended.wait(LAST_SECONDS):
            os._exit(1)

    def _shut_down(self) -> None:
        if self.should_exit:
            self.force_exit = True
            return
        self.should_exit = True
        self._lab.state.closing.set()
        # uvicorn waits for open streams, and a training run's lasts as long as the run.
        self._closing = asyncio.get_running_loop().create_task(
            self._lab.state.training.close_streams()
        )


def serve(
    settings: ServerSettings,
    on_ready: Callable[[str], None],
    desk: ReviewDesk | None = None,
) -> None:
    """Serve a lab until Ctrl-C or SIGTERM.

    settings: the lab's; with port 0 the system chooses one
    on_ready: called with the lab's address when it answers
    desk: where mail is reviewed; None: nowhere

    Raises UsageError: the host or port cannot be listened to.
    """
    return_memory()
    # The socket is opened here: a taken port is then our error, and port 0 is known.
    listener = open_listener(settings.host, settings.port)
    port = listener.getsockname()[1]
    lab = Lab(replace(settings, port=port), desk)
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    # A long framing in one thread would otherwise delay the event loop by 5 ms a turn.
    sys.setswitchinterval(SWITCH_SECONDS)
    config = uvicorn.Config(
        lab,
        http=make_protocol(),
        loop="auto",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        limit_concurrency=MAX_CONNECTIONS,
    )

    def start() -> None:
        # What start-up made stays to the end: the collector need not visit it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        on_ready(f"http://{name}:{port}/")

    Server(config, lab, start).run(sockets=[listener])


def return_memory() -> None:
    """Let the C library give back what large pictures took; where it is glibc."""
    if sys.platform != "win32":
        library = ctypes.CDLL(None)
        for option, value in MALLOC.items() if hasattr(library, "mallopt") else ():
            library.mallopt(option, value)


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens; UsageError for a foreign host or a port that is taken."""
    listener = None
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        # On Windows this would let two programs have one port.
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        raise UsageError(
            f"--host {host} --port {port} cannot be listened to",
            seen=getattr(error, "strerror", None) or str(error),
            try_="another --port; with --port 0 the system chooses a free one",
        ) from error
    # Training processes would otherwise keep the port open after the lab has ended.
    listener.set_inheritable(False)
    return listener
