"""The desk at which people review mail: the queue, its pictures and the directory of ZIPs.

Everything here waits for the disk: the lab does it in threads of its own. No request names a
file; a picture is reached by its piece's number and the token with which it is lent.

* A piece's picture as a page can show it: small enough, upright, a JPEG whatever it was.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DataError, DigitlensError, MissingDataError
from digitlens.geometry import rotate_upright
from digitlens.imaging.crop import expand_box
from digitlens.mail.sorting.lease import rotation_of
from digitlens.mail.sorting.review import LEASE
from digitlens.mail.sorting.store import file_fingerprint
from digitlens.server.http_errors import TooLargeError, UnknownError
from digitlens.server.uploads import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.geometry import Box
    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting import Correction, Review, ReviewTask


LARGEST = 1600
"""Pixels of the longer side: more than the page is wide, less than 1 MB."""

QUALITY = 85

HEADS = 1 << 20
"""Bytes that a file may have beyond its bare pixels."""

BESIDE = (3.0, 0.8, 1.2, 0.8)
"""Paper left of the line, above, right and below, in heights of it: with the state's name."""

KEPT = 8
"""Scans that are kept at hand: the page asks for one piece's several times."""


@dataclass(frozen=True)
class Scan:
    """A piece's picture.

    Parameters
    ----------
    width, height
        Of the picture, turned upright, in its own pixels.
    whole
        All of it as JPEG, its longer side at most `LARGEST`.
    view
        Left, top, right, bottom of what is seen close, in the picture's own pixels; None
        where no line was found.
    close
        That part as JPEG.
    box
        Of the line, on the picture turned upright.
    """

    width: int
    height: int
    whole: bytes
    view: tuple[int, int, int, int] | None = None
    close: bytes | None = None
    box: Box | None = None


def scan_of(path: Path, name: str, box: Box | None, most_pixels: int, *, turn: int = 0) -> Scan:
    """Return the picture at `path`, and the line in `box` seen close.

    Parameters
    ----------
    box
        Left, top, right, bottom on the picture as it lies.
    turn
        Degrees, counter-clockwise, in quarters: so it stands upright.

    Raises
    ------
    TooLargeError
        It has more than `most_pixels` pixels, or bytes than so many could need.
    DataError
        It is gone, or cannot be opened.
    """
    try:
        if not path.is_file():  # gone; or a pipe, on which one could wait for ever
            raise DataError(f"the picture of {name} is gone")
        size = path.stat().st_size
        if size > 3 * most_pixels + HEADS:
            raise TooLargeError(f"{name} is too large a file", seen=f"{size:,} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{name} cannot be read", seen=error.strerror) from error
    pixels = opened(content, most_pixels, name).pixels
    if box is not None:
        box, _ = rotate_upright(box, (pixels.shape[1], pixels.shape[0]), turn)
    pixels = np.rot90(pixels, turn // 90)
    height, width = pixels.shape[:2]
    whole = _jpeg(pixels)
    if box is None:
        return Scan(width, height, whole)
    tall = box[3] - box[1]
    margin = [tall * share for share in BESIDE]
    left, top, right, bottom = expand_box(box, margin, width, height)
    if left >= right or top >= bottom:  # the picture is another one by now
        return Scan(width, height, whole, box=box)
    close = _jpeg(pixels[top:bottom, left:right])
    return Scan(width, height, whole, (left, top, right, bottom), close, box)


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    into = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST, LARGEST), reducing_gap=2.0)
    picture.save(into, "JPEG", quality=QUALITY)
    return into.getvalue()


class ScanCache:
    """The scans that were asked for last; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Scan | DataError | TooLargeError] = (
            OrderedDict()
        )
        self._lock = Lock()

    def get(self, path: Path, make: Callable[[], Scan]) -> Scan:
        """Return the scan of the file at `path`, made when it is not at hand.

        Raises
        ------
        TooLargeError, DataError
            What `make` raised; it is kept too.
        """
        key = str(path), file_fingerprint(path)
        with self._lock:
            result = self._kept.get(key)
        if result is None:
            try:
                result = make()
            except (DataError, TooLargeError) as error:
                result = error
            with self._lock:
                self._kept[key] = result
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        if isinstance(result, Scan):
            return result
        raise result


HOW = (
    "digitlens mail sample 200 --out mail",
    "digitlens mail plan --by state --out plan.toml",
    "digitlens route mail --plan plan.toml --out trays",
    "digitlens serve --trays trays --plan plan.toml",
)
"""What to type so that there is mail to review."""

MOST_PIXELS = 50_000_000
"""Of a piece's picture, as of one that is sent."""


class ReviewDesk:
    """The review queue of one folder of trays.

    Parameters
    ----------
    folder
        Where the trays are.
    review, plan, directory
        Its queue, and what that was opened with.
    """

    def __init__(
        self, folder: Path, review: Review, plan: SortPlan, directory: Directory
    ) -> None:
        self.folder = folder
        self._review, self._plan, self._directory = review, plan, directory
        self._scans = ScanCache()

    def standing(self, person: str | None = None) -> dict[str, Any]:
        """Return how the work stands, and what `person` did of it."""
        return self._review.standing(person)

    def claim(self, person: str, token: str, after: int) -> dict[str, Any]:
        """Lend the next piece, or the one that is lent with `token`, and tell all of it.

        A picture that cannot be shown is told as a sentence: the piece is still lent.
        """
        task = self._review.claim(person, token=token, after=after)
        result = None if task is None else self._told(task)
        return {"task": result, "queue": self.standing(person)}

    def settle(
        self, piece: int, token: str, zip_: str | None, *, unlisted: bool
    ) -> dict[str, Any]:
        """Send a piece on; return its tray (errors as `Review.settle` has them)."""
        task = self._review.task(piece, token)
        return {"piece": piece, "tray": self._review.settle(task, zip_, unlisted=unlisted)}

    def take_back(self, piece: int, person: str, token: str) -> dict[str, Any]:
        """Take a person's answer back and lend the piece again, told as by `claim`.

        What is lent with `token` is given back (errors as `Review.take_back` has them).
        """
        task = self._review.take_back(piece, person, token=token)
        return {"task": self._told(task), "queue": self.standing(person)}

    def renew(self, piece: int, token: str) -> dict[str, Any]:
        """Lend a piece for longer (errors as `Review.renew` has them)."""
        self._review.renew(self._review.task(piece, token))
        return {"piece": piece, "seconds": LEASE}

    def release(self, piece: int, token: str) -> dict[str, Any]:
        """Give a piece back (errors as `Review.task` has them)."""
        self._review.release(self._review.task(piece, token))
        return {"piece": piece, "seconds": 0.0}

    def picture(self, piece: int, token: str, *, close: bool) -> bytes:
        """Return a lent piece's picture, or the line on it, as JPEG.

        Raises
        ------
        NotYoursError
            The piece is not lent with that token.
        UnknownError
            No line was found on it.
        TooLargeError, DataError
            It cannot be shown.
        """
        scan = self._scan(self._review.task(piece, token))
        result = scan.close if close else scan.whole
        if result is None:
            raise UnknownError(f"no line was found on piece {piece}", try_="part=whole")
        return result

    def place(self, five: str) -> dict[str, Any]:
        """Return where a ZIP of five digits is, and which tray it goes to."""
        result = self._directory.place(five)
        return {
            "zip": five,
            "listed": result is not None,
            "city": result.city if result else None,
            "state": result.state if result else None,
            "county": result.county if result else None,
            "tray": self._plan.tray_of(five),
        }

    def corrections(self, first: int, count: int) -> dict[str, Any]:
        """Return what people said, oldest first."""
        every = list(self._review.corrections())
        return {
            "count": len(every),
            "first": first,
            "corrections": [
                self._corrected(item) for item in islice(every, first, first + count)
            ],
            "save": f"digitlens mail corrections --trays {self.folder} --out corrections",
        }

    def _told(self, task: ReviewTask) -> dict[str, Any]:
        picture, problem = None, None
        try:
            scan = self._scan(task)
            picture = {
                "width": scan.width,
                "height": scan.height,
                "box": scan.box and list(scan.box),
                "view": scan.view and list(scan.view),
            }
        except (DataError, TooLargeError) as error:
            problem = sentence(error)
        return {
            "piece": task.piece,
            "token": task.token,
            "seconds": LEASE,
            "name": task.name,
            "reason": task.reason,
            "why": task.why,
            "text": task.text,
            "guesses": self._guesses(task.guesses),
            "picture": picture,
            "problem": problem,
        }

    def _guesses(self, guesses: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**guess, "tray": self._plan.tray_of(guess["zip"])} for guess in guesses]

    def _scan(self, task: ReviewTask) -> Scan:
        return self._scans.get(
            task.picture,
            lambda: scan_of(
                task.picture, task.name, task.box, MOST_PIXELS, turn=rotation_of(task.boxes)
            ),
        )

    def _corrected(self, told: Correction) -> dict[str, Any]:
        inside = told.picture.is_relative_to(self.folder)
        return {
            "piece": told.piece,
            "picture": told.picture.relative_to(self.folder).as_posix() if inside else None,
            "zip": told.zip,
            "person": told.person,
            "at": told.at,
            "text": told.text,
            "guesses": self._guesses(told.guesses),
            "box": told.box and list(told.box),
            "boxes": [list(box) for box in told.boxes],
        }


def sentence(error: DigitlensError) -> str:
    """Return an error's first two rows as one line."""
    return error.wanted + (f": {error.seen}" if error.seen else "")


def open_desk(trays: Path, plan: Path) -> ReviewDesk:
    """Open the review queue of the trays in a folder.

    Parameters
    ----------
    trays
        What ``digitlens route --out`` named.
    plan
        The sort plan, as a file.

    Raises
    ------
    MissingDataError
        Nothing was sorted there, or there is no such plan.
    DataError
        The plan cannot be read, or the state of sorting is damaged.
    MissingExtraError
        The extra ``mail`` is not installed.
    """
    from digitlens.mail.directory import load_directory
    from digitlens.mail.plan_files import read_plan
    from digitlens.mail.sorting import Review

    chosen, directory = read_plan(plan), load_directory()
    desk = ReviewDesk(trays, Review(trays, chosen, directory), chosen, directory)
    desk.standing()  # a damaged state is told now, not to who asks first
    return desk


def no_desk() -> MissingDataError:
    """Return the error for a lab that was started without trays."""
    return MissingDataError("no mail is reviewed in this lab", try_="\n".join(HOW[2:]))
