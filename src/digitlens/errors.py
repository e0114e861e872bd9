"""The errors of digitlens: one object for Python, the exit code and the HTTP status.

::

    DigitlensError                1   500
    ├── UsageError                2   400   the command or call itself is wrong
    ├── DataError                 1   422   data that cannot be used
    │   ├── MissingDataError      1   503   data that is not here and cannot be fetched
    │   ├── CorruptFileError      1   422   a file that is truncated, damaged or of another kind
    │   │   └── HashMismatchError 1   422   a file that is not the one that was published
    │   ├── ShapeError            1   422   pictures of another size, mode or dtype
    │   │   └── TooLargeError     1   422   more pixels, bytes or memory than is allowed
    │   ├── TimeLimitError        1   422   data that takes longer than is allowed
    │   ├── NoInkError            1   422   a picture of bare paper
    │   ├── SeveralDigitsError    1   422   a picture of several digits where one is wanted
    │   └── LabelError            1   422   labels outside 0..9, or not one for each picture
    ├── ModelError                1   422   a model file that is missing, damaged or not ours
    ├── RunError                  1   409   a run folder that cannot be read or gone on with
    ├── DivergedError             1   500   training ended in a loss that is not a number
    ├── StoppedError            130   500   training was stopped on request; all is saved
    ├── WorkerError               1   500   a process that was to help has died
    ├── StorageError              1   507   the disk refused to keep what we wrote
    └── MissingExtraError         1   501   an optional part of digitlens is not installed

The two columns are the exit code and the HTTP status; `kind` is what a row of results calls
an error. `suggest` is for "did you mean".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

# Characters that a terminal acts on, and those that turn the direction of writing: names of
# files and cards of models may hold them. Written so, they are right in JSON too.
_UNSAFE = {
    code: f"\\u{code:04x}"
    for code in (*range(32), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}
_UNSAFE_BUT_LINES = {code: text for code, text in _UNSAFE.items() if code not in (9, 10)}


def printable(text: str, *, lines: bool = False) -> str:
    """Return `text` with what a terminal acts on as codes; `lines` keeps line ends and tabs.

    >>> print(printable("a" + chr(10) + chr(27) + "[31mb.png"))
    a\\u000a\\u001b[31mb.png
    """
    return text.translate(_UNSAFE_BUT_LINES if lines else _UNSAFE)


class DigitlensError(Exception):
    """An error that says what was wanted, what was seen, what is likely and what to try.

    wanted: one line: what went wrong, together with what would have been right
    seen: what was found, as exactly as is known
    likely: the probable cause; given only where what was seen supports it
    try_: a command or an act that helps
    kind: what rows of results call it, where that is not what its class says

    >>> print(DataError("x.npz holds no labels", seen="arrays: images", try_="add 'labels'"))
    x.npz holds no labels
      seen    arrays: images
      try     add 'labels'
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    kind: str = "fault"

    def __init__(
        self,
        wanted: str,
        *,
        seen: str | None = None,
        likely: str | None = None,
        try_: str | None = None,
        kind: str | None = None,
    ) -> None:
        self.wanted = wanted
        self.seen = seen
        self.likely = likely
        self.try_ = try_
        self.kind = kind or self.kind
        super().__init__(str(self))

    def __str__(self) -> str:
        rows = [("seen", self.seen), ("likely", self.likely), ("try", self.try_)]
        lines = [printable(self.wanted)]
        for name, text in rows:
            if text:
                lines.append(f"  {name:<8}" + text.replace("\n", "\n" + " " * 10))
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str]:
        """Return the error as a row of results has it."""
        return {"error": str(self), "kind": self.kind}

    def __reduce__(self) -> tuple[object, ...]:
        state = {"seen": self.seen, "likely": self.likely, "try_": self.try_}
        state["kind"] = self.kind
        return _rebuild, (type(self), self.wanted, state)


def _rebuild(kind: type[DigitlensError], wanted: str, rest: dict[str, str | None]) -> object:
    return kind(wanted, **rest)


class UsageError(DigitlensError):
    """The command or the call itself is wrong."""

    exit_code = 2
    http_status = 400


class DataError(DigitlensError):
    """Data that cannot be used."""

    http_status = 422
    kind = "unreadable"


class MissingDataError(DataError):
    """Data that is not here and cannot be fetched."""

    http_status = 503
    kind = "missing"


class CorruptFileError(DataError):
    """A file that is truncated, damaged or of another kind."""

    kind = "corrupt"


class HashMismatchError(CorruptFileError):
    """A file that is not, byte for byte, the one that was published."""


class ShapeError(DataError):
    """Pictures of another size, mode or dtype than was wanted."""


class TooLargeError(ShapeError):
    """More pixels, bytes or memory than is allowed."""

    kind = "too-large"


class TimeLimitError(DataError):
    """Data that takes longer than is allowed."""

    kind = "too-slow"


class NoInkError(DataError):
    """A picture of bare paper."""

    kind = "no-ink"


class SeveralDigitsError(DataError):
    """A picture of several digits where one is wanted."""

    kind = "several-digits"


class LabelError(DataError):
    """Labels outside 0..9, or not one for each picture."""


class ModelError(DigitlensError):
    """A model file that is missing, damaged or not ours."""

    http_status = 422


class RunError(DigitlensError):
    """A run folder that cannot be read or gone on with."""

    http_status = 409


class DivergedError(DigitlensError):
    """Training ended in a loss that is not a number."""


class StoppedError(DigitlensError):
    """Training was stopped on request (Ctrl-C, SIGTERM); everything is saved."""

    exit_code = 130


class WorkerError(DigitlensError):
    """A process that was to help has died."""

    kind = "died"


class StorageError(DigitlensError):
    """The disk refused to keep what was written."""

    http_status = 507


class MissingExtraError(DigitlensError):
    """An optional part of digitlens is not installed."""

    http_status = 501
    kind = "missing-extra"

    @classmethod
    def of(cls, wish: str, package: str, extra: str) -> MissingExtraError:
        """Return the error for a wish, verb included, whose package an extra brings.

        >>> print(MissingExtraError.of("reading a PDF needs", "pypdfium2", "pdf"))
        reading a PDF needs the extra 'pdf'
          seen    pypdfium2 is not installed
          try     pip install "digitlens[pdf]"
        """
        return cls(
            f"{wish} the extra '{extra}'",
            seen=f"{package} is not installed",
            try_=f'pip install "digitlens[{extra}]"',
        )


class DigitlensWarning(UserWarning):
    """Something that was noticed and may matter; the work goes on."""


def suggest(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the one of `names` that `name` is nearest to, whatever the case, or None.

    cutoff: how alike they must be, 0..1, in `difflib`'s measure

    >>> suggest("trian", ["demo", "train"])
    'train'
    >>> suggest("fly", ["demo", "train"])
    """
    from difflib import get_close_matches  # needed for mistakes alone

    folded = {item.lower(): item for item in names}
    matches = get_close_matches(name.lower(), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None
