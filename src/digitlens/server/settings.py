"""The settings of a lab: where it listens, who may ask, and its limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from digitlens.errors import UsageError

MEBIBYTE = 1 << 20

# 16 of the characters that `secrets.token_urlsafe` draws from hold 96 bits.
MIN_TOKEN_LENGTH = 16


@dataclass(frozen=True)
class ServerSettings:
    """The settings of a lab."""

    # the lab's folder. Requests reach no file outside of it, except the networks and digits
    # that belong to digitlens.
    folder: Path = field(default_factory=Path.cwd)
    # host, port: where it listens
    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""  # what every request must show; empty for none
    max_body_bytes: int = 16 * MEBIBYTE  # limit of a request's body
    # limit of one picture: a phone's camera makes 12 to 50 million
    max_pixels: int = 50_000_000
    max_pictures: int = 256  # limit of pictures in one request
    max_waiting: int = 1024  # limit of pictures that wait for an answer; more are refused
    # limit of the bytes of all bodies that are held at one time
    max_held_bytes: int = 256 * MEBIBYTE
    # body_seconds, answer_seconds: how long a request's body may take to arrive, and its answer
    # to be made
    body_seconds: float = 30.0
    answer_seconds: float = 30.0

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def runs(self) -> Path:
        """The folder of the lab's training runs."""
        return self.folder / "runs" / "train"

    @property
    def user_digits(self) -> Path:
        """The folder of drawn and corrected digits."""
        return self.folder / "runs" / "own"


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`.

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
    """Return the token that guards `host`; empty for none.

    Raises UsageError: other machines can reach `host` and there is no token, or it is easily
    guessed.
    """
    if token is None:
        if is_loopback(host):
            return ""
        raise UsageError(
            f"other machines can reach {host}: a --token is needed",
            try_="--token \"$(python -c 'import secrets; print(secrets.token_urlsafe())')\"",
        )
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable():
        raise UsageError(
            f"a token must be at least {MIN_TOKEN_LENGTH} printable ASCII characters",
            seen=f"{len(token)} characters",
            try_="python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    return token
