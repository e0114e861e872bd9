"""The desk at which people review mail: the queue, its pictures and the directory of ZIPs.

Everything here waits for the disk: the lab does it in threads of its own. No request names a
file; a picture is reached by its piece's number and the token with which it is lent.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, DigitlensError, MissingDataError
from digitlens.lab.mail.scan import Scan, Scans, scan_of
from digitlens.lab.refusals import TooLargeError, UnknownError
from digitlens.mail.sorting.marks import turn_of
from digitlens.mail.sorting.review import LEASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import Plan
    from digitlens.mail.sorting import Correction, Review, Task

HOW = (
    "digitlens mail sample 200 --out mail",
    "digitlens mail plan --by state --out plan.toml",
    "digitlens route mail --plan plan.toml --out trays",
    "digitlens serve --trays trays --plan plan.toml",
)
"""What to type so that there is mail to review."""

MOST_PIXELS = 50_000_000
"""Of a piece's picture, as of one that is sent."""


class Desk:
    """The review queue of one folder of trays.

    Parameters
    ----------
    folder
        Where the trays are.
    review, plan, directory
        Its queue, and what that was opened with.
    """

    def __init__(self, folder: Path, review: Review, plan: Plan, directory: Directory) -> None:
        self.folder = folder
        self._review, self._plan, self._directory = review, plan, directory
        self._scans = Scans()

    def standing(self, person: str | None = None) -> dict[str, Any]:
        """Return how the work stands, and what `person` did of it."""
        return self._review.standing(person)

    def claim(self, person: str, token: str, after: int) -> dict[str, Any]:
        """Lend the next piece, or the one that is lent with `token`, and tell all of it.

        A picture that cannot be shown is told as a sentence: the piece is still lent.
        """
        task = self._review.claim(person, token=token, after=after)
        found = None if task is None else self._told(task)
        return {"task": found, "queue": self.standing(person)}

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
        found = scan.close if close else scan.whole
        if found is None:
            raise UnknownError(f"no line was found on piece {piece}", try_="part=whole")
        return found

    def place(self, five: str) -> dict[str, Any]:
        """Return where a ZIP of five digits is, and which tray it goes to."""
        found = self._directory.place(five)
        return {
            "zip": five,
            "listed": found is not None,
            "city": found.city if found else None,
            "state": found.state if found else None,
            "county": found.county if found else None,
            "tray": self._plan.tray_of(five),
        }

    def corrections(self, first: int, count: int) -> dict[str, Any]:
        """Return what people said, oldest first."""
        every = list(self._review.corrections())
        return {
            "count": len(every),
            "first": first,
            "corrections": [
                self._corrected(each) for each in islice(every, first, first + count)
            ],
            "save": f"digitlens mail corrections --trays {self.folder} --out corrections",
        }

    def _told(self, task: Task) -> dict[str, Any]:
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

    def _scan(self, task: Task) -> Scan:
        return self._scans.get(
            task.picture,
            lambda: scan_of(
                task.picture, task.name, task.box, MOST_PIXELS, turn=turn_of(task.boxes)
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


def open_desk(trays: Path, plan: Path) -> Desk:
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
    from digitlens.mail.plan import read_plan
    from digitlens.mail.sorting import Review

    chosen, directory = read_plan(plan), load_directory()
    desk = Desk(trays, Review(trays, chosen, directory), chosen, directory)
    desk.standing()  # a damaged state is told now, not to who asks first
    return desk


def no_desk() -> MissingDataError:
    """Return the error for a lab that was started without trays."""
    return MissingDataError("no mail is reviewed in this lab", try_="\n".join(HOW[2:]))
