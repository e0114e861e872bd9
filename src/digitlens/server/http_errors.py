"""Errors of the service, and every error as problem details (RFC 9457)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from digitlens.errors import DigitlensError

if TYPE_CHECKING:
    from collections.abc import Callable

    Result = TypeVar("Result")

# The first line of a class's docstring is the title of its problem, and its name the type:
# clients may depend on both.


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

    def __init__(self, wanted: str, *, retry_after: int = 1, **rest: str | None) -> None:
        self.retry_after = retry_after  # seconds after which to ask again
        super().__init__(wanted, **rest)


PROBLEM_TYPE = "application/problem+json"


def problem_details(error: DigitlensError) -> dict[str, Any]:
    """Return an error as problem details, with the same words as on the command line.

    >>> from digitlens.errors import NoInkError
    >>> details = problem_details(NoInkError("a.png must show a digit", seen="bare paper"))
    >>> details["type"], details["title"], details["status"]
    ('urn:digitlens:no-ink', 'A picture of bare paper', 422)
    >>> details["detail"], details["seen"]
    ('a.png must show a digit', 'bare paper')
    """
    kind = type(error)
    words = re.findall("[A-Z][a-z]*", kind.__name__.removesuffix("Error"))
    result = {
        "type": f"urn:digitlens:{'-'.join(words).lower() or 'error'}",
        "title": (kind.__doc__ or kind.__name__).splitlines()[0].rstrip("."),
        "status": error.http_status,
        "detail": error.wanted,
    }
    rest = {"seen": error.seen, "likely": error.likely, "try": error.try_}
    return result | {name: text for name, text in rest.items() if text}


def problem_body(error: DigitlensError) -> bytes:
    """Return `problem_details` as JSON."""
    return json.dumps(problem_details(error), ensure_ascii=False).encode()


def problem_headers(error: DigitlensError) -> dict[str, str]:
    """Return the headers of a problem: when to ask again, how to show a token."""
    headers = {"content-type": PROBLEM_TYPE}
    if (after := getattr(error, "retry_after", None)) is not None:
        headers["retry-after"] = str(after)
    if error.http_status == 401:
        headers["www-authenticate"] = 'Bearer realm="digitlens"'
    return headers


def unexpected_error(error: BaseException) -> DigitlensError:
    """Return the error for a fault of ours; only the name of its class is revealed."""
    return DigitlensError(
        "the lab could not answer",
        seen=type(error).__name__,
        likely="a fault in digitlens itself",
        try_="the lab's own output shows where",
    )


def framework_error(status: int, detail: str, path: str) -> DigitlensError:
    """Return the error for a status that the web framework answers by itself."""
    if status == 404:
        return UnknownError(f"there is no {path}", try_="/docs lists every address")
    if status == 405:
        return MethodError(f"{path} does not take this method", try_="/docs tells which")
    # Rare (a method of HTTP that nobody knows): its title is the framework's own sentence.
    kind = type("HttpError", (DigitlensError,), {"http_status": status, "__doc__": detail})
    error: DigitlensError = kind(detail)
    return error


def forget_frames(error: BaseException | None) -> None:
    """Let go of what was at work when an error was raised, and when those that led to it were.

    An error holds the calls that it came through, and they the picture that was at fault:
    until the garbage collector comes, as what waits for an answer holds the error in turn.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def call_lean(function: Callable[..., Result], *args: Any) -> Result:
    """Call `function`; errors of ours that it raises hold nothing of what it worked on."""
    try:
        return function(*args)
    except DigitlensError as error:
        forget_frames(error)
        raise
