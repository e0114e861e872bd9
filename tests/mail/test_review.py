"""The review queue: one person a piece, and nothing that they said is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from digitlens.ctc import Line
from digitlens.errors import DataError, MissingDataError, RunError, UsageError
from digitlens.mail.candidates import ZipCandidate, rank_zip_lines
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import NotYoursError, Review, ReviewTask, Sorting, sort_folder
from digitlens.mail.sorting import trays as trays_module

COUNT = 12


@pytest.fixture
def review(
    tmp_path: Path, directory: Directory, line: Callable[..., Line], clock: Any
) -> Review:
    """Return the queue of twelve pieces of which the reader is not sure."""

    def read(path: Path) -> Sequence[ZipCandidate]:
        return rank_zip_lines([line("02134", 0.6, (("02135", 0.3), ("02108", 0.1)))])

    mail, out = tmp_path / "mail", tmp_path / "out"
    mail.mkdir()
    for index in range(COUNT):
        (mail / f"{index:02d}.png").write_text(f"piece {index}")
    plan = make_plan(directory, "zip3")
    sort_folder(mail, out, Sorting(read, RoutingPolicy(directory), plan), now=clock)
    return Review(out, plan, directory, now=clock)


def test_a_piece_comes_with_its_guesses(review: Review) -> None:
    """A task shows the picture, why a person must look, and three guesses."""
    task = review.claim("ann")
    assert task is not None
    assert task.picture.read_text() == "piece 0"
    assert (task.reason, task.text, task.name) == ("unsure", "02134", "00.png")
    assert [guess["zip"] for guess in task.guesses] == ["02134", "02135", "02108"]
    assert task.guesses[0]["city"] == "Allston"
    assert task.why.endswith("needs 99.0 %")


def test_two_people_never_get_the_same_piece(review: Review) -> None:
    """Who asks again gets their own piece again, who else asks another."""
    ann, bob = review.claim("ann"), review.claim("bob")
    assert ann is not None
    assert bob is not None
    assert ann.piece != bob.piece
    again = review.claim("ann")
    assert again is not None
    assert again.piece == ann.piece


def test_many_people_at_once_never_get_the_same_piece(review: Review, tmp_path: Path) -> None:
    """Of forty who ask at the same time, twelve get a piece each and the others none."""
    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(review.claim, [f"person {index}" for index in range(40)]))
    lent = [task.piece for task in tasks if task is not None]
    assert len(lent) == len(set(lent)) == COUNT


def test_a_settled_piece_moves_on(review: Review, tmp_path: Path) -> None:
    """The piece goes to the tray of the ZIP that was typed, and leaves the queue."""
    task = review.claim("ann")
    assert task is not None
    assert review.settle(task, "90210-1234") == "902"
    assert (tmp_path / "out/902/00.png").read_text() == "piece 0"
    assert not (tmp_path / "out/review/00.png").exists()
    assert review.waiting() == COUNT - 1
    after = review.claim("ann")
    assert after is not None
    assert after.piece != task.piece
    with pytest.raises(RunError, match="it was settled or given back"):
        review.settle(task, "90210")


def test_what_nobody_can_read_is_put_aside(review: Review, tmp_path: Path) -> None:
    """A person who cannot tell either sends the piece to the folder unsortable."""
    task = review.claim("ann")
    assert task is not None
    assert review.settle(task, None) == "unsortable"
    assert (tmp_path / "out/unsortable/00.png").exists()
    assert review.waiting() == COUNT - 1


def test_a_loan_ends(review: Review, clock: Any) -> None:
    """When the time is over another person gets the piece, and the first is told so."""
    ann = review.claim("ann", lease=60)
    assert ann is not None
    clock.now += 61
    bob = review.claim("bob")
    assert bob is not None
    assert bob.piece == ann.piece
    with pytest.raises(RunError, match=re.escape("bob has it now")):
        review.settle(ann, "02134")
    with pytest.raises(RunError, match="no longer yours"):
        review.renew(ann)
    review.settle(bob, "02134")


def test_a_late_answer_counts_when_nobody_else_has_the_piece(
    review: Review, clock: Any
) -> None:
    """Work is not thrown away because it took long."""
    task = review.claim("ann", lease=60)
    assert task is not None
    clock.now += 600
    assert review.settle(task, "02134") == "021"


def test_a_renewed_loan_lasts(review: Review, clock: Any) -> None:
    """Who renews keeps the piece."""
    ann = review.claim("ann", lease=60)
    assert ann is not None
    clock.now += 50
    assert review.renew(ann, lease=60) == clock.now + 60
    clock.now += 50
    bob = review.claim("bob")
    assert bob is not None
    assert bob.piece != ann.piece


def test_a_piece_given_back_is_the_next(review: Review) -> None:
    """Who gives a piece back leaves it to the next person."""
    ann = review.claim("ann")
    assert ann is not None
    review.release(ann)
    bob = review.claim("bob")
    assert bob is not None
    assert bob.piece == ann.piece


def test_a_loan_is_found_again_by_its_token(review: Review) -> None:
    """A web page that sends number and token back has the loan; another token has none."""
    task = review.claim("ann")
    assert task is not None
    assert review.task(task.piece, task.token) == task
    with pytest.raises(RunError, match="piece 1 is no longer yours"):
        review.task(task.piece, "guessed")
    review.settle(task, None)
    with pytest.raises(RunError, match="no longer yours"):
        review.task(task.piece, task.token)


@pytest.mark.parametrize(
    ("text", "said"),
    [("90219", "there is no ZIP 90219"), ("501", "a ZIP is 12345, 12345-6789 or 123456789")],
)
def test_a_mistyped_zip_is_refused(review: Review, text: str, said: str) -> None:
    """A ZIP that is not in use is not taken, and the piece stays; on request it is."""
    task = review.claim("ann")
    assert task is not None
    with pytest.raises(UsageError, match=said):
        review.settle(task, text)
    assert review.waiting() == COUNT
    if len(text) == 5:
        assert review.settle(task, text, unlisted=True) == "902"


def test_corrections_are_kept(review: Review, tmp_path: Path) -> None:
    """What people said is there to learn from, with what the program had thought."""
    for zip_ in ("02135", None, "00501"):
        task = review.claim("ann")
        assert task is not None
        review.settle(task, zip_)
    result = list(review.corrections())
    assert [item.zip for item in result] == ["02135", None, "00501"]
    assert result[0].text == "02134"
    assert result[0].person == "ann"
    assert [item.picture.parent.name for item in result] == ["021", "unsortable", "005"]


def test_settled_pieces_stay_settled(
    review: Review, tmp_path: Path, directory: Directory
) -> None:
    """The next run neither reads nor moves them, and lists who settled them."""
    task = review.claim("ann")
    assert task is not None
    review.settle(task, "90210")

    def read(path: Path) -> Sequence[ZipCandidate]:
        raise AssertionError("nothing is new")

    plan = make_plan(directory, "zip3")
    summary = sort_folder(
        tmp_path / "mail", tmp_path / "out", Sorting(read, RoutingPolicy(directory), plan)
    )
    assert (summary.settled, summary.accepted, summary.waiting) == (1, 0, COUNT - 1)
    row = (tmp_path / "out/pieces.csv").read_text().splitlines()[1]
    assert "settled,90210" in row
    assert ",Beverly Hills,CA," in row
    assert ",ann," in row


def test_an_empty_queue_lends_nothing(review: Review) -> None:
    """When all is settled there is no task left."""
    while task := review.claim("ann"):
        review.settle(task, task.guesses[0]["zip"])
    assert review.waiting() == 0


def test_what_has_no_queue_is_told(tmp_path: Path, directory: Directory) -> None:
    """A folder into which nothing was sorted, and a person without a name, are told."""
    with pytest.raises(MissingDataError, match="nothing was sorted into"):
        Review(tmp_path, make_plan(directory, "zip3"), directory)


def test_two_of_one_name_are_two(review: Review) -> None:
    """By its token a loan is told apart from that of a namesake; none is taken from another."""
    one = review.claim("ann", token="")
    two = review.claim("ann", token="")
    assert one is not None
    assert two is not None
    assert one.piece != two.piece
    again = review.claim("ann", token=one.token)
    assert again is not None
    assert again.piece == one.piece


def test_who_gives_a_piece_back_gets_another(review: Review) -> None:
    """Pieces behind a number come first, those before it at the end."""
    for after, piece in ((0, 1), (1, 2), (COUNT, 1)):
        task = review.claim("ann", after=after)
        assert task is not None
        assert task.piece == piece
        review.release(task)


def test_the_work_is_counted(review: Review, clock: Any) -> None:
    """What waits, is lent, was settled and put aside is counted, and what each person did."""
    for zip_ in ("02134", "90210", None):
        task = review.claim("ann")
        assert task is not None
        review.settle(task, zip_)
    review.claim("bob", lease=60)
    assert review.status("ann") == {
        "waiting": COUNT - 3,
        "lent": 1,
        "settled": 2,
        "unsortable": 1,
        "yours": 3,
        "trays": {"021": 1, "902": 1},
    }
    clock.now += 61
    assert review.status()["lent"] == 0
    assert review.status()["yours"] == 0


def test_a_piece_whose_picture_is_gone_stays(review: Review, tmp_path: Path) -> None:
    """What has no picture any more is not sent on, and still waits."""
    task = review.claim("ann")
    assert task is not None
    assert task.boxes == tuple(
        (300 + 20.0 * index, 200, 320 + 20.0 * index, 230) for index in range(5)
    )
    task.picture.unlink()
    with pytest.raises(DataError, match=r"the picture of the piece 00\.png is gone"):
        review.settle(task, "02134")
    assert review.waiting() == COUNT
    assert not list(review.corrections())


@pytest.mark.parametrize("person", ["", " ", "a\nb", "\ud800", "a\x00"])
def test_a_person_has_a_name(review: Review, person: str) -> None:
    """Nobody gets a piece under a name that cannot be written down."""
    with pytest.raises(UsageError, match="a person who has a name"):
        review.claim(person)


@pytest.fixture
def trays(folder: Path, tmp_path: Path, sorting: Sorting) -> Path:
    """Return trays in which two pieces wait."""
    sort_folder(folder, tmp_path / "out", sorting)
    return tmp_path / "out"


@pytest.fixture
def queue(trays: Path, sorting: Sorting) -> Review:
    """Return their queue."""
    return Review(trays, sorting.plan, sorting.policy.directory)


def lend(queue: Review, person: str) -> ReviewTask:
    """Lend a piece."""
    task = queue.claim(person)
    assert task is not None
    return task


def lies_in(trays: Path, name: str) -> list[str]:
    """Return the folders that hold a file of this name."""
    return [path.parent.name for path in sorted(trays.rglob(name))]


@pytest.mark.parametrize("said", ["90210", None])
def test_an_answer_is_taken_back(queue: Review, trays: Path, said: str | None) -> None:
    """The piece lies in the queue again, lent as before, and nothing was said of it."""
    task = lend(queue, "ann")
    queue.settle(task, said)
    again = queue.take_back(task.piece, "ann")
    assert lies_in(trays, again.picture.name) == ["review"]
    assert (again.piece, again.guesses, again.why) == (task.piece, task.guesses, task.why)
    assert again.token != task.token
    assert list(queue.corrections()) == []
    assert lend(queue, "bob").piece != task.piece
    assert lend(queue, "ann").piece == task.piece
    queue.settle(lend(queue, "ann"), "02134")
    assert lies_in(trays, again.picture.name) == ["MA"]
    assert [item.zip for item in queue.corrections()] == ["02134"]


def test_the_piece_in_hand_is_given_back(queue: Review) -> None:
    """Nobody has two pieces: what was lent meanwhile goes to others."""
    first = lend(queue, "ann")
    queue.settle(first, "02134")
    second = lend(queue, "ann")
    queue.take_back(first.piece, "ann", token=second.token)
    assert lend(queue, "bob").piece == second.piece


def test_only_ones_own_last_answer_is_taken_back(queue: Review, trays: Path) -> None:
    """Not what others said, not what was never said, and nothing twice."""
    task = lend(queue, "ann")
    with pytest.raises(NotYoursError, match="ann has said nothing of piece"):
        queue.take_back(task.piece, "ann")
    queue.settle(task, "02134")
    with pytest.raises(NotYoursError, match="ann settled it"):
        queue.take_back(task.piece, "bob")
    assert lies_in(trays, task.picture.name) == ["MA"]
    queue.take_back(task.piece, "ann")
    with pytest.raises(NotYoursError, match="it was taken back before"):
        queue.take_back(task.piece, "ann")
    assert lies_in(trays, task.picture.name) == ["review"]


def test_a_kill_before_the_piece_is_moved_is_made_good(
    queue: Review,
    trays: Path,
    folder: Path,
    sorting: Sorting,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was written down first: the next run moves it, and its listing says where it is."""
    task = lend(queue, "ann")
    queue.settle(task, "02134")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trays_module, "move_to_tray", killed)
        with pytest.raises(KeyboardInterrupt):
            queue.take_back(task.piece, "ann")
    assert lies_in(trays, task.picture.name) == ["MA"]
    sort_folder(folder, trays, sorting)
    assert lies_in(trays, task.picture.name) == ["review"]
    assert lend(queue, "ann").piece == task.piece
