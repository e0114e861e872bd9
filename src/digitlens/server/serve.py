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
from dataclasses import replace
from typing import TYPE_CHECKING

import uvicorn

from digitlens.errors import UsageError
from digitlens.server.app import Lab
from digitlens.server.protocol import make_protocol
from digitlens.server.train_jobs import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from digitlens.server.review_desk import ReviewDesk
    from digitlens.server.settings import ServerSettings


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
