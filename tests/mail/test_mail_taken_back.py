"""Answers taken back: the piece waits again for who gave the answer, and is nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from digitlens.mail.sorting import NotYoursError, Review, ReviewTask, Sorting, sort_folder
from digitlens.mail.sorting import store as store_module


@pytest.fixture
def trays(folder: Path, tmp_path: Path, sorting: Sorting) -> Path:
    """Return trays in which two pieces wait."""
    sort_folder(folder, tmp_path / "out", sorting)
    return tmp_path / "out"


@pytest.fixture
def review(trays: Path, sorting: Sorting) -> Review:
    """Return their queue."""
    return Review(trays, sorting.plan, sorting.policy.directory)


def claim(review: Review, person: str) -> ReviewTask:
    """Lend a piece."""
    task = review.claim(person)
    assert task is not None
    return task


def lies_in(trays: Path, name: str) -> list[str]:
    """Return the folders that hold a file of this name."""
    return [path.parent.name for path in sorted(trays.rglob(name))]


@pytest.mark.parametrize("said", ["90210", None])
def test_an_answer_is_taken_back(review: Review, trays: Path, said: str | None) -> None:
    """The piece lies in the queue again, lent as before, and nothing was said of it."""
    task = claim(review, "ann")
    review.settle(task, said)
    again = review.take_back(task.piece, "ann")
    assert lies_in(trays, again.picture.name) == ["review"]
    assert (again.piece, again.guesses, again.why) == (task.piece, task.guesses, task.why)
    assert again.token != task.token
    assert list(review.corrections()) == []
    assert claim(review, "bob").piece != task.piece
    assert claim(review, "ann").piece == task.piece
    review.settle(claim(review, "ann"), "02134")
    assert lies_in(trays, again.picture.name) == ["MA"]
    assert [item.zip for item in review.corrections()] == ["02134"]


def test_the_piece_in_hand_is_given_back(review: Review) -> None:
    """Nobody has two pieces: what was lent meanwhile goes to others."""
    first = claim(review, "ann")
    review.settle(first, "02134")
    second = claim(review, "ann")
    review.take_back(first.piece, "ann", token=second.token)
    assert claim(review, "bob").piece == second.piece


def test_only_ones_own_last_answer_is_taken_back(review: Review, trays: Path) -> None:
    """Not what others said, not what was never said, and nothing twice."""
    task = claim(review, "ann")
    with pytest.raises(NotYoursError, match="ann has said nothing of piece"):
        review.take_back(task.piece, "ann")
    review.settle(task, "02134")
    with pytest.raises(NotYoursError, match="ann settled it"):
        review.take_back(task.piece, "bob")
    assert lies_in(trays, task.picture.name) == ["MA"]
    review.take_back(task.piece, "ann")
    with pytest.raises(NotYoursError, match="it was taken back before"):
        review.take_back(task.piece, "ann")
    assert lies_in(trays, task.picture.name) == ["review"]


def test_a_kill_before_the_piece_is_moved_is_made_good(
    review: Review,
    trays: Path,
    folder: Path,
    sorting: Sorting,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was written down first: the next run moves it, and its listing says where it is."""
    task = claim(review, "ann")
    review.settle(task, "02134")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "move_to_tray", killed)
        with pytest.raises(KeyboardInterrupt):
            review.take_back(task.piece, "ann")
    assert lies_in(trays, task.picture.name) == ["MA"]
    sort_folder(folder, trays, sorting)
    assert lies_in(trays, task.picture.name) == ["review"]
    assert claim(review, "ann").piece == task.piece
