"""Errors that only a service knows; their codes are those of RFC 9110.

::

    DigitlensError
    ├── TokenError           401   no token, or another one
    ├── ForeignError         403   a page of another site asks
    ├── UnknownError         404   there is nothing of that name
    ├── MethodError          405   there is, but not for this method
    ├── SlowError            408   the request did not come in time
    ├── TooLargeError        413   more bytes, pixels or pictures than are taken
    ├── KindError            415   a body of a kind that is not read
    ├── HostError            421   the request is meant for another host
    └── BusyError            503   too much is asked for at this moment
"""

from __future__ import annotations

from digitlens.errors import DigitlensError


class TokenError(DigitlensError):
    """The token is missing or wrong."""

    http_status = 401


class ForeignError(DigitlensError):
    """A page of another site may not ask."""

    http_status = 403


class UnknownError(DigitlensError):
    """There is nothing of that name."""

    http_status = 404


class MethodError(DigitlensError):
    """Not for this method."""

    http_status = 405


class SlowError(DigitlensError):
    """The request did not come in time."""

    http_status = 408


class TooLargeError(DigitlensError):
    """More than is taken."""

    http_status = 413


class KindError(DigitlensError):
    """A body of a kind that is not read."""

    http_status = 415


class HostError(DigitlensError):
    """The request is meant for another host."""

    http_status = 421


class BusyError(DigitlensError):
    """Too much is asked for at this moment."""

    http_status = 503
    retry_after = 1
    """Seconds after which to ask again."""
