"""uvicorn's HTTP protocol with limits for a request's head, in time and in bytes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from digitlens.server.settings import is_loopback

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
except ImportError:
    # h11 bounds heads itself.
    from uvicorn.protocols.http.h11_impl import (  # type: ignore[assignment]
        H11Protocol as Base,
    )

if TYPE_CHECKING:
    import asyncio

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
