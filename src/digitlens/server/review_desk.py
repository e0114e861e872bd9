"""Where people review mail: the queue, the pictures of its pieces, and the directory of ZIPs.

Everything here waits for the disk, so the lab calls it in other threads. No request names a
file: a picture is reached by the number of its piece and the token with which it is lent.
"""

from __future__ import annotations

import asyncio
import io
import threading
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, cast

import numpy as np

from digitlens.errors import DataError, MissingDataError
from digitlens.geometry import rotate_upright
from digitlens.imaging.crop import expand_box
from digitlens.mail.sorting.review import LEASE, find_rotation
from digitlens.mail.sorting.trays import file_fingerprint
from digitlens.server.cache import LruCache
from digitlens.server.http_errors import TooLargeError, UnknownError
from digitlens.server.mail_schemas import (
    Claimed,
    Corrections,
    Lent,
    MailCorrection,
    MailPicture,
    MailTask,
    Settled,
    ZipPlace,
)
from digitlens.server.uploads import load_upload
from digitlens.storage import make_folder, read_regular
from digitlens.workers import run_in_background

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from digitlens.geometry import Box
    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting import Correction, Review, ReviewTask
    from digitlens.server.mail_schemas import Queue


# Pixels of the longer side of a picture: more than the page is wide, less than 1 MB.
MAX_SIDE = 1600

JPEG_QUALITY = 85

# The most pixels that a piece's picture may have: as many as an uploaded one.
MAX_PIXELS = 50_000_000
# Bytes that a file may have beyond its bare pixels.
MAX_HEADER_BYTES = 1 << 20
# Paper left of the line, above, right and below, in line heights: the state's name is seen.
CLOSE_UP_MARGIN = (3.0, 0.8, 1.2, 0.8)
# Scans that are kept: the page asks for one piece's several times.
MAX_SCANS = 8
# A database of several labs counts all pieces, a tenth of a second for some 100,000.
COUNT_SECONDS = 1.0
# What to type so that there is mail to review.
HOW_TO_START = (
    "digitlens mail sample 200 --out mail",
    "digitlens mail plan --by state --out plan.toml",
    "digitlens route mail --plan plan.toml --out trays",
    "digitlens serve --trays trays --plan plan.toml",
)


# How long one look for new pieces waits; after it, pieces whose loans ended are asked for, too.
LOOK_SECONDS = 2.0


class Arrivals:
    """Tells all who wait that there may be a piece: one thread listens for them."""

    def __init__(self, review: Review) -> None:
        self._review = review
        self._look: asyncio.Future[bool] | None = None

    async def wait(self, seconds: float) -> None:
        """Wait at most `seconds` until there may be a piece, or it is time to look.

        Raises StorageError: the store cannot be reached.
        """
        if self._look is None or self._look.done():
            look = run_in_background(partial(self._review.wait, LOOK_SECONDS))
            self._look = asyncio.wrap_future(look)
        done, _ = await asyncio.wait({self._look}, timeout=seconds)
        for look_ in done:
            look_.result()


class ReviewDesk:
    """The review queue of the trays in `folder`, with what it was opened with.

    `scans` is where pieces are kept that scanners send; None: nowhere.
    """

    def __init__(
        self,
        folder: Path,
        review: Review,
        plan: SortPlan,
        directory: Directory,
        scans: Path | None = None,
    ) -> None:
        self.folder, self.scans = folder, scans
        self.review, self.plan, self.directory = review, plan, directory
        self.arrivals = Arrivals(review)
        # Pictures decoded at one time: each may take 150 MB.
        self._decoding = threading.Semaphore(2)
        self._counting = threading.Lock()
        # when it was, what `Review.status` gave, and answers by person
        self._counted: tuple[float, dict[str, Any], dict[str, int]] | None = None
        self._scans: LruCache[tuple[str, str], Scan | DataError | TooLargeError] = LruCache(
            MAX_SCANS
        )

    # Errors of the methods are those of `Review`: NotYoursError where a piece is not lent with
    # that token, UsageError for a person without a name or a ZIP that is none.

    def status(self, person: str | None = None) -> Queue:
        """Return how many pieces wait, are lent and settled, and how many `person` settled.

        In a database, which counts all pieces for that, it is up to `COUNT_SECONDS` old.
        """
        if not self.review.store.is_shared:
            return cast("Queue", self.review.status(person))
        # One counts, and while it does the others have the figures of before.
        if self._counting.acquire(blocking=self._counted is None):
            try:
                now = self.review.now()
                if self._counted is None or not 0 <= now - self._counted[0] < COUNT_SECONDS:
                    said = self.review.store.counts("said")
                    self._counted = (now, self.review.status(), said)
            finally:
                self._counting.release()
        assert self._counted is not None, "the first waits for the figures"
        _, queue, said = self._counted
        return cast("Queue", queue | {"yours": said.get(person or "", 0)})

    def claim(self, person: str, token: str, after: int) -> Claimed:
        """Lend the next piece, or again the one that is lent with `token`."""
        task = self.review.claim(person, token=token, after=after)
        described = None if task is None else self._describe_task(task)
        return Claimed(described, self.status(person))

    def settle(self, piece: int, token: str, zip_: str | None, *, unlisted: bool) -> Settled:
        """Send a piece to the tray of its ZIP."""
        task = self.review.task(piece, token)
        tray = self.review.settle(task, zip_, unlisted=unlisted)
        return Settled(piece, tray, self.status())

    def take_back(self, piece: int, person: str, token: str) -> Claimed:
        """Take a person's answer back and lend the piece again; release that of `token`."""
        task = self.review.take_back(piece, person, token=token)
        return Claimed(self._describe_task(task), self.status(person))

    def renew(self, piece: int, token: str) -> Lent:
        """Lend a piece for longer."""
        self.review.renew(self.review.task(piece, token))
        return Lent(piece, LEASE)

    def release(self, piece: int, token: str) -> Lent:
        """Give a piece back."""
        self.review.release(self.review.task(piece, token))
        return Lent(piece, 0.0)

    def picture(self, piece: int, token: str, *, close: bool) -> bytes:
        """Return a lent piece's picture, or the line on it, as JPEG.

        Raises NotYoursError: the piece is not lent with that token; UnknownError: no line was
        found on it; TooLargeError, DataError: it cannot be shown.
        """
        scan = self._load_scan(self.review.task(piece, token))
        content = scan.close if close else scan.whole
        if content is None:
            raise UnknownError(f"no line was found on piece {piece}", try_="part=whole")
        return content

    def look_up(self, five: str) -> ZipPlace:
        """Return where a ZIP of five digits is, and which tray it goes to."""
        place = self.directory.place(five)
        tray = self.plan.find_tray(five)
        if place is None:
            return ZipPlace(five, False, None, None, None, tray)
        return ZipPlace(five, True, place.city, place.state, place.county, tray)

    def corrections(self, first: int, count: int) -> Corrections:
        """Return what people said, oldest first."""
        corrections = list(self.review.corrections())
        page = islice(corrections, first, first + count)
        described = [self._describe_correction(item) for item in page]
        save = f"digitlens mail corrections --trays {self.folder} --out corrections"
        return Corrections(len(corrections), first, described, save)

    def _describe_task(self, task: ReviewTask) -> MailTask:
        picture, problem = None, None
        try:
            scan = self._load_scan(task)
        except (DataError, TooLargeError) as error:
            # The piece is lent all the same: a person may know it without its picture.
            problem = error.wanted + (f": {error.seen}" if error.seen else "")
        else:
            box, view = scan.box and list(scan.box), scan.view and list(scan.view)
            picture = MailPicture(scan.width, scan.height, box, view)
        about = (task.name, task.reason, task.why, task.text, self._add_trays(task.guesses))
        return MailTask(task.piece, task.token, LEASE, *about, picture, problem)

    def _describe_correction(self, item: Correction) -> MailCorrection:
        # A path outside of the trays would reveal where files of this machine lie.
        inside = item.picture.is_relative_to(self.folder)
        picture = item.picture.relative_to(self.folder).as_posix() if inside else None
        guesses, boxes = self._add_trays(item.guesses), [list(box) for box in item.boxes]
        said, box = (item.zip, item.person, item.settled_at), item.box and list(item.box)
        return MailCorrection(item.piece, picture, *said, item.text, guesses, box, boxes)

    def _add_trays(self, guesses: Sequence[dict[str, Any]]) -> list[Any]:
        return [{**guess, "tray": self.plan.find_tray(guess["zip"])} for guess in guesses]

    def _load_scan(self, task: ReviewTask) -> Scan:
        """Return the scan of a task's picture; that it cannot be shown is kept too."""
        # The fingerprint is part of the key: a file that was replaced is another picture.
        key = str(task.picture), file_fingerprint(task.picture)
        scan = self._scans.get(key)
        if scan is None:
            rotation = find_rotation(task.boxes)
            try:
                with self._decoding:
                    scan = load_scan(task.picture, task.name, task.box, rotation=rotation)
            except (DataError, TooLargeError) as error:
                scan = error
            self._scans.put(key, scan)
        if isinstance(scan, Scan):
            return scan
        raise scan


@dataclass(frozen=True)
class Scan:
    """A piece's picture as a page can show it."""

    # width, height: of the picture, turned upright, in its own pixels
    width: int
    height: int
    whole: bytes  # all of it as JPEG, its longer side at most `MAX_SIDE`
    # left, top, right, bottom of the close-up, in the picture's own pixels; None where no line
    # was found
    view: tuple[int, int, int, int] | None = None
    close: bytes | None = None  # the close-up as JPEG
    box: Box | None = None  # of the line, on the picture turned upright


def load_scan(
    path: Path,
    name: str,
    box: Box | None,
    *,
    max_pixels: int = MAX_PIXELS,
    rotation: int = 0,
) -> Scan:
    """Return the picture at `path`, and a close-up of the line in `box`.

    box: left, top, right, bottom on the picture as it lies
    rotation: degrees, counter-clockwise, in quarters, that turn the picture upright

    Raises TooLargeError: it has more than `max_pixels` pixels, or more bytes than those could
    need; DataError: it is gone, or cannot be decoded.
    """
    try:
        if not path.is_file():  # gone; or a pipe, which could be waited on for ever
            raise DataError(f"the picture of {name} is gone")
        size = path.stat().st_size
        if size > 3 * max_pixels + MAX_HEADER_BYTES:
            raise TooLargeError(f"{name} is too large a file", seen=f"{size:,} bytes")
        content = read_regular(path)
    except OSError as error:
        raise DataError(f"{name} cannot be read", seen=error.strerror) from error
    # Upright first: the line's box is turned with the picture.
    pixels = load_upload(content, max_pixels, name).pixels
    if box is not None:
        box, _ = rotate_upright(box, (pixels.shape[1], pixels.shape[0]), rotation)
    pixels = np.rot90(pixels, rotation // 90)
    height, width = pixels.shape[:2]
    # the whole picture -> a close-up of the line, cut from the full resolution
    whole = _encode_jpeg(pixels)
    if box is None:
        return Scan(width, height, whole)
    margin = [(box[3] - box[1]) * share for share in CLOSE_UP_MARGIN]
    left, top, right, bottom = expand_box(box, margin, width, height)
    if left >= right or top >= bottom:  # the file now holds another picture
        return Scan(width, height, whole, box=box)
    close = _encode_jpeg(pixels[top:bottom, left:right])
    return Scan(width, height, whole, (left, top, right, bottom), close, box)


def _encode_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), reducing_gap=2.0)
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def open_desk(
    trays: Path, plan: Path, store: str | None = None, scans: Path | None = None
) -> ReviewDesk:
    """Open the review queue of a folder of trays, with the file of its sort plan.

    store: the address of the database that keeps its state; None: it is in the folder
    scans: where pieces are kept that scanners send; then trays need not be there yet

    Raises MissingDataError: nothing was sorted there, or there is no such plan; DataError: the
    plan cannot be read, or the state of sorting is damaged; MissingExtraError: the extra
    ``mail`` is not installed.
    """
    from digitlens.mail.directory import load_directory
    from digitlens.mail.plan_files import read_plan
    from digitlens.mail.sorting import Review
    from digitlens.mail.sorting.stores import open_store

    # Imported late: only labs that review mail need the extra "mail".
    sort_plan, directory = read_plan(plan), load_directory()
    if scans is not None:
        make_folder(trays)
        with open_store(trays, store, create=True):
            pass
    review = Review(trays, sort_plan, directory, store=store)
    desk = ReviewDesk(trays, review, sort_plan, directory, scans)
    desk.status()  # raises now, not at the first request, where the state is damaged
    return desk


def no_desk_error() -> MissingDataError:
    """Return the error of a lab that was started without trays."""
    return MissingDataError("no mail is reviewed in this lab", try_="\n".join(HOW_TO_START[2:]))
