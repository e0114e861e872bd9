"""How much of a request's body is read, for how long, and how many bodies are held at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from digitlens.server.http_errors import BusyError, SlowError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from digitlens.server.settings import ServerSettings

    Receive = Callable[[], Awaitable[Any]]


class ByteBudget:
    """Bytes of bodies that may be held at one time.

    Parameters
    ----------
    most
        How many; who finds no room is turned away.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def take(self, count: int) -> None:
        """Take room for `count` bytes.

        Raises
        ------
        BusyError
            There is none left.
        """
        if self.held + count > self.most:
            raise BusyError(
                "too much is being sent to the lab at this moment",
                seen=f"{self.held:,} bytes are on their way, {self.most:,} may be",
                try_="the same again in a moment",
            )
        self.held += count

    def give_back(self, count: int) -> None:
        """Give room back."""
        self.held -= count


class Body:
    """A request's body on its way in: counted, timed, and given room while it is held.

    Parameters
    ----------
    receive
        ASGI's function of that name.
    headers
        The request's, names in lower case.
    settings
        Caps and patience.
    room
        Taken as bytes come, and given back by `close`.

    Raises
    ------
    TooLargeError
        Its head says so already; nothing is read then.
    """

    def __init__(
        self,
        receive: Receive,
        headers: Mapping[bytes, bytes],
        settings: ServerSettings,
        room: ByteBudget,
    ) -> None:
        self._receive = receive
        self._settings = settings
        self._room = room
        self._count = 0
        self._until: float | None = None
        self._done = False
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > settings.most_bytes:
            raise self._too_large(f"{int(length):,}")

    async def receive(self) -> Any:
        """Return ASGI's next message.

        Raises
        ------
        TooLargeError, SlowError, BusyError
            More bytes than are taken, later than is waited for, more than there is room for.
        """
        if self._done:  # what comes now is that the client has gone: no hurry
            return await self._receive()
        loop = asyncio.get_running_loop()
        if self._until is None:
            self._until = loop.time() + self._settings.body_seconds
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise SlowError(
                f"the request must be here within {self._settings.body_seconds:g} seconds",
                seen=f"{self._count:,} bytes of its body",
            ) from error
        if message["type"] == "http.request":
            self._take(len(message.get("body", b"")))
            self._done = not message.get("more_body", False)
        return message

    def _take(self, count: int) -> None:
        if self._count + count > self._settings.most_bytes:
            raise self._too_large(f"more than {self._settings.most_bytes:,}")
        self._room.take(count)
        self._count += count

    def close(self) -> None:
        """Give the room back."""
        self._room.give_back(self._count)
        self._count = 0

    def _too_large(self, seen: str) -> TooLargeError:
        return TooLargeError(
            f"a request may have {self._settings.most_bytes:,} bytes",
            seen=f"{seen} bytes",
            try_="a smaller picture, or fewer of them",
        )
