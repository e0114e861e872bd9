"""What a lab is started with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from digitlens.errors import UsageError

MEBIBYTE = 1 << 20

LEAST_TOKEN = 16
"""Characters: 16 of those that `secrets.token_urlsafe` draws from hold 96 bits."""


@dataclass(frozen=True)
class ServerSettings:
    """What a lab is started with.

    Parameters
    ----------
    folder
        The lab's folder: runs/train/ and runs/own/ lie in it, and no request reaches a file
        outside (the networks and digits that belong to digitlens aside).
    host, port
        Where it listens.
    token
        What every request must show; empty for none.
    most_bytes
        Of a request's body.
    most_pixels
        Of one picture: a phone's camera makes 12 to 50 million.
    most_pictures
        In one request.
    most_waiting
        Pictures that wait for an answer; more are turned away.
    most_held
        Bytes of all bodies that are held at one time.
    body_seconds
        Within which a request's body must have come.
    answer_seconds
        Within which an answer must be there.
    """

    folder: Path = field(default_factory=Path.cwd)
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    most_bytes: int = 16 * MEBIBYTE
    most_pixels: int = 50_000_000
    most_pictures: int = 256
    most_waiting: int = 1024
    most_held: int = 256 * MEBIBYTE
    body_seconds: float = 30.0
    answer_seconds: float = 30.0

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def runs(self) -> Path:
        """Where the lab's run folders lie."""
        return self.folder / "runs" / "train"

    @property
    def own(self) -> Path:
        """Where drawn and corrected digits are kept."""
        return self.folder / "runs" / "own"


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`.

    Examples
    --------
    >>> [is_loopback(host) for host in ("localhost", "127.8.0.1", "::1", "0.0.0.0", "lan")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_token(host: str, token: str | None) -> str:
    """Return the token that `host` is to be guarded by; empty for none.

    Raises
    ------
    UsageError
        Others can reach `host` and there is no token, or it is easily guessed.
    """
    if token is None:
        if is_loopback(host):
            return ""
        raise UsageError(
            f"other machines can reach {host}: a --token is needed",
            try_="--token \"$(python -c 'import secrets; print(secrets.token_urlsafe())')\"",
        )
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable():
        raise UsageError(
            f"a token must be at least {LEAST_TOKEN} printable ASCII characters",
            seen=f"{len(token)} characters",
            try_="python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    return token
