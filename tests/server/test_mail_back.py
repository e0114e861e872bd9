"""/v1/mail: an answer is taken back over the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from digitlens.mail.sorting import Review
from digitlens.server.app import Lab
from digitlens.server.review_desk import ReviewDesk
from digitlens.server.settings import ServerSettings


@pytest.fixture
def mail(
    tmp_path: Path,
    sort_mail: Callable[..., Any],
    small_mail: Any,
    lab_client: Callable[[Lab], Any],
    in_tmp: Path,
) -> Iterator[Any]:
    """Return a client of a lab in which three pieces wait."""
    (tmp_path / "mail").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.new("L", (240, 120), 230).save(tmp_path / "mail" / name)
    out = sort_mail(tmp_path / "mail", tmp_path / "trays")
    review = Review(out, small_mail.plan, small_mail.directory)
    desk = ReviewDesk(out, review, small_mail.plan, small_mail.directory)
    with lab_client(Lab(ServerSettings(folder=in_tmp), desk)) as client:
        yield client


def post(mail: Any, path: str, **body: Any) -> Any:
    """Return the response."""
    return mail.post(f"/v1/mail/{path}", json=body)


def test_an_answer_is_taken_back(mail: Any, tmp_path: Path, problem: Any) -> None:
    """The piece comes again as by a claim, instead of the one in hand; a second time is 409."""
    task = post(mail, "claim", person="Ann").json()["task"]
    path = f"pieces/{task['piece']}"
    settled = post(mail, f"{path}/settle", token=task["token"], zip="02134").json()
    now = post(mail, "claim", person="Ann").json()["task"]
    wish = {"person": "Ann", "token": now["token"]}
    told = post(mail, f"{path}/take-back", **wish).json()
    assert told["task"] == task | {"token": told["task"]["token"]}
    assert told["task"]["token"] not in {task["token"], now["token"]}
    assert (told["queue"]["waiting"], told["queue"]["lent"], told["queue"]["yours"]) == (
        3,
        1,
        0,
    )
    assert not (tmp_path / "trays" / settled["tray"] / task["name"]).exists()
    assert (tmp_path / "trays/review" / task["name"]).is_file()
    problem(post(mail, f"{path}/take-back", **wish), 409)
    problem(post(mail, f"{path}/take-back", person="Bob"), 409)
    problem(post(mail, "pieces/99/take-back", person="Ann"), 409)
    problem(post(mail, f"{path}/take-back", person=""), 422)
