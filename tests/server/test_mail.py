"""/v1/mail: one person a piece, pictures of any kind, and nothing else of the disk."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.errors import CorruptFileError, DataError, MissingDataError, UsageError
from digitlens.geometry import rotate_upright
from digitlens.mail.sorting.sqlite import FILE
from digitlens.mail.sorting.stores import open_store
from digitlens.server import review_desk as desks
from digitlens.server.app import Lab
from digitlens.server.http_errors import TooLargeError
from digitlens.server.review_desk import MAX_SIDE, ReviewDesk, Scan, load_scan, open_desk
from digitlens.server.settings import ServerSettings

ANN, BOB = {"person": "Ann"}, {"person": "Bob"}
NAMES = ("a.png", "b.tif", "c.bmp", "d.pgm", "e.jpg", "f.png", "g.webp")
KINDS = {"b.tif": "I;16", "c.bmp": "RGB", "d.pgm": "L", "g.webp": "RGBA"}
TOKEN = "0" * 16


@pytest.fixture
def trays(tmp_path: Path, sort_mail: Callable[..., Any]) -> Path:
    """Return a folder of trays in which seven pieces wait; f.png is damaged."""
    mail = tmp_path / "mail"
    mail.mkdir()
    for name in NAMES:
        picture = Image.new("L", (240, 120), 230).convert(KINDS.get(name, "L"))
        picture.save(mail / name)
    (mail / "f.png").write_bytes((mail / "a.png").read_bytes()[:60])
    out: Path = sort_mail(mail, tmp_path / "trays")
    return out


@pytest.fixture
def desk(trays: Path, small_mail: Any, clock: Any) -> ReviewDesk:
    """Return the desk of these trays."""
    desk: ReviewDesk = small_mail.open_desk(trays, now=clock)
    return desk


@pytest.fixture
def mail(
    desk: ReviewDesk, tmp_path: Path, lab_client: Callable[[Lab], Any], in_tmp: Path
) -> Iterator[Any]:
    """Return a client of a lab in which this mail is reviewed."""
    with lab_client(Lab(ServerSettings(folder=in_tmp), desk)) as client:
        yield client


def claim(mail: Any, **body: Any) -> Any:
    """Return what a claim tells."""
    answer = mail.post("/v1/mail/claim", json={**ANN, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def act(mail: Any, task: Any, what: str, **rest: Any) -> Any:
    """Settle, renew or release a piece; return the response."""
    body = {"token": task["token"], **rest}
    return mail.post(f"/v1/mail/pieces/{task['piece']}/{what}", json=body)


def picture(mail: Any, task: Any, part: str = "whole") -> Any:
    """Return the response with a piece's picture."""
    query = {"token": task["token"], "part": part}
    return mail.get(f"/v1/mail/pieces/{task['piece']}/picture", params=query)


def test_a_piece_comes_with_all_that_a_person_needs(mail: Any) -> None:
    """A task has the guesses with town and tray, where the ZIP stands, and why it waits."""
    result = claim(mail)
    task = result["task"]
    assert (task["piece"], task["name"], task["reason"]) == (1, "a.png", "unsure")
    assert task["guesses"][0] == {
        "zip": "02134",
        "probability": pytest.approx(0.6, abs=0.1),
        "city": "Allston",
        "state": "MA",
        "tray": "MA",
    }
    assert len(task["guesses"]) == 3
    assert task["picture"] == {
        "width": 240,
        "height": 120,
        "box": [100.0, 60.0, 160.0, 80.0],
        "view": [40, 44, 185, 97],
    }
    assert task["problem"] is None
    assert (result["queue"]["waiting"], result["queue"]["lent"]) == (7, 1)


def test_a_settled_piece_moves_on_and_is_kept_as_a_correction(mail: Any, trays: Path) -> None:
    """The piece lies in its tray, the counts say so, and what was said can be asked for."""
    task = claim(mail)["task"]
    done = act(mail, task, "settle", zip="02135")
    assert done.status_code == 200
    assert done.json()["tray"] == "MA"
    assert done.json()["queue"]["waiting"] == 6
    assert (trays / "MA" / "a.png").is_file()
    state = mail.get("/v1/mail", params=ANN).json()
    assert (state["open"], state["queue"]["settled"], state["queue"]["yours"]) == (True, 1, 1)
    kept = mail.get("/v1/mail/corrections").json()
    assert (kept["count"], kept["corrections"][0]["zip"]) == (1, "02135")
    assert kept["corrections"][0]["picture"] == "MA/a.png"
    assert kept["corrections"][0]["text"] == "02134"
    assert len(kept["corrections"][0]["boxes"]) == 5
    assert mail.get("/v1/mail/corrections?first=1").json()["corrections"] == []
    assert act(mail, task, "settle", zip="90210").status_code == 409


def test_what_nobody_can_read_is_put_aside(mail: Any) -> None:
    """A null for a ZIP sends the piece to the folder unsortable."""
    task = claim(mail)["task"]
    assert act(mail, task, "settle", zip=None).json()["tray"] == "unsortable"


def test_two_people_never_have_the_same_piece(mail: Any) -> None:
    """Each gets another piece, two of one name too; who has one gets it again by its token."""
    ann, bob = claim(mail)["task"], claim(mail, **BOB)["task"]
    other = claim(mail)["task"]
    assert len({item["piece"] for item in (ann, bob, other)}) == 3
    again = claim(mail, token=ann["token"])["task"]
    assert again["piece"] == ann["piece"]
    assert again["token"] != ann["token"]


def test_every_piece_is_lent_once(mail: Any) -> None:
    """Of ten who ask at once seven get a piece each, and the others are told of none."""
    asked = [
        mail.begin("POST", "/v1/mail/claim", json={"person": f"p{index}"})
        for index in range(10)
    ]
    tasks = [item.result(60).json()["task"] for item in asked]
    assert sorted(task["piece"] for task in tasks if task) == [1, 2, 3, 4, 5, 6, 7]
    assert tasks.count(None) == 3


def test_a_loan_that_has_ended_is_told(mail: Any, clock: Any, problem: Any) -> None:
    """Who was too slow is told who has the piece now; renewing in time keeps it."""
    ann = claim(mail)["task"]
    assert ann["seconds"] == 300
    clock.now += 299
    assert act(mail, ann, "renew").json() == {"piece": 1, "seconds": 300}
    clock.now += 299
    assert claim(mail, **BOB)["task"]["piece"] == 2
    clock.now += 2
    bob = claim(mail, person="Bo")["task"]
    assert bob["piece"] == 1
    for what, rest in (("settle", {"zip": "02134"}), ("renew", {}), ("release", {})):
        answer = problem(act(mail, ann, what, **rest), 409)
        assert answer["type"] == "urn:digitlens:not-yours"
        assert answer["try"] == "take the next piece"
    assert picture(mail, ann).status_code == 409
    assert picture(mail, bob).status_code == 200


def test_a_piece_that_is_given_back_goes_to_others_first(mail: Any) -> None:
    """Who gives a piece back gets the next one; the piece itself comes again at the end."""
    ann = claim(mail)["task"]
    assert act(mail, ann, "release").status_code == 200
    assert claim(mail, after=1)["task"]["piece"] == 2
    assert claim(mail, **BOB)["task"]["piece"] == 1
    assert claim(mail, after=7)["task"]["piece"] == 3


def test_an_answer_is_taken_back(mail: Any, trays: Path, problem: Any) -> None:
    """The piece comes again as by a claim, instead of the one in hand; a second time is 409."""
    task = claim(mail)["task"]
    address = f"/v1/mail/pieces/{task['piece']}/take-back"
    settled = act(mail, task, "settle", zip="02134").json()
    body = {**ANN, "token": claim(mail)["task"]["token"]}
    result = mail.post(address, json=body).json()
    assert result["task"] == task | {"token": result["task"]["token"]}
    assert result["task"]["token"] not in {task["token"], body["token"]}
    queue = result["queue"]
    assert (queue["waiting"], queue["lent"], queue["yours"]) == (len(NAMES), 1, 0)
    assert not (trays / settled["tray"] / task["name"]).exists()
    assert (trays / "review" / task["name"]).is_file()
    problem(mail.post(address, json=body), 409)
    problem(mail.post(address, json=BOB), 409)
    problem(mail.post("/v1/mail/pieces/99/take-back", json=ANN), 409)
    problem(mail.post(address, json={"person": ""}), 422)


def test_pictures_of_any_kind_are_shown(mail: Any) -> None:
    """TIFF of 16 bits, BMP, PGM and WebP come as JPEG, the whole and the line; a damaged one
    is told in words, and its piece can be settled all the same."""
    for _ in NAMES:
        task = claim(mail)["task"]
        if task["name"] == "f.png":
            assert task["picture"] is None
            assert task["problem"].startswith("f.png is a damaged picture")
            assert picture(mail, task).status_code == 422
            continue
        whole, line = picture(mail, task), picture(mail, task, "line")
        for answer, size in ((whole, (240, 120)), (line, (145, 53))):
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["cache-control"] == "no-store"
            with Image.open(io.BytesIO(answer.content)) as shown:
                assert (shown.format, shown.size) == ("JPEG", size)
        assert act(mail, task, "settle", zip="02134").status_code == 200


def test_a_piece_whose_picture_is_gone_waits(mail: Any, trays: Path, problem: Any) -> None:
    """It is said that the picture is gone; the piece is not sent on without it, nor lost."""
    (trays / "review" / "a.png").unlink()
    (trays.parent / "mail" / "a.png").unlink()
    task = claim(mail)["task"]
    assert task["problem"] == "the picture of a.png is gone"
    answer = problem(act(mail, task, "settle", zip="02134"), 422)
    assert "put it back" in answer["try"]
    assert mail.get("/v1/mail").json()["queue"]["waiting"] == 7


def test_a_zip_is_looked_up(mail: Any, problem: Any) -> None:
    """A ZIP's town and tray are told, and that there is none; what is no ZIP is refused."""
    result = mail.get("/v1/mail/zips/00501").json()
    assert (result["listed"], result["city"], result["tray"]) == (True, "Holtsville", "NY")
    result = mail.get("/v1/mail/zips/99999").json()
    assert (result["listed"], result["city"], result["tray"]) == (False, None, "other")
    for text in ("501", "0050a", "００５０１", "00501-1234"):
        problem(mail.get(f"/v1/mail/zips/{text}"), 422)


def test_an_unknown_zip_is_taken_on_purpose_alone(mail: Any, problem: Any) -> None:
    """A ZIP that the directory does not have is refused, unless the person insists."""
    task = claim(mail)["task"]
    assert "no ZIP 99999" in problem(act(mail, task, "settle", zip="99999"), 400)["detail"]
    assert act(mail, task, "settle", zip="99999-1234", unlisted=True).json()["tray"] == "other"


@pytest.mark.parametrize(
    ("address", "body", "status"),
    [
        ("claim", {"person": ""}, 422),
        ("claim", {"person": " \t"}, 400),
        ("claim", {"person": "a\x00b"}, 400),
        ("claim", {"person": "x" * 61}, 422),
        ("claim", {"person": "Ann", "token": "' OR 1=1 --"}, 422),
        ("claim", {"person": "Ann", "after": 2**63}, 422),
        ("claim", {"person": "Ann", "path": "/etc/passwd"}, 422),
        ("pieces/1/settle", {"token": TOKEN, "zip": "02134"}, 409),
        ("pieces/1/settle", {"token": TOKEN}, 422),
        ("pieces/1/settle", {"token": TOKEN, "zip": 2134}, 422),
        ("pieces/0/renew", {"token": TOKEN}, 422),
        ("pieces/99999999999999999999/renew", {"token": TOKEN}, 422),
        ("pieces/../../release", {"token": TOKEN}, 404),
        ("pieces/1/release", {"token": "x"}, 422),
    ],
)
def test_hostile_requests_are_refused(
    mail: Any, problem: Any, address: str, body: Any, status: int
) -> None:
    """What makes no sense is refused in words, and changes nothing."""
    problem(mail.post(f"/v1/mail/{address}", json=body), status)
    assert mail.get("/v1/mail").json()["queue"]["lent"] == 0


def test_a_lone_surrogate_is_refused(mail: Any, problem: Any) -> None:
    """A name that no text can hold is refused before it reaches the state."""
    body = b'{"person": "\\ud800"}'
    headers = {"content-type": "application/json"}
    answer = mail.post("/v1/mail/claim", content=body, headers=headers)
    assert 400 <= problem(answer, answer.status_code)["status"] < 500


def test_pictures_are_shown_to_who_has_the_piece_alone(mail: Any, problem: Any) -> None:
    """Without the token there is no picture, whatever the request names."""
    claim(mail)
    for query in ({}, {"token": ""}, {"token": "../../etc/passwd"}, {"part": "../a.png"}):
        problem(mail.get("/v1/mail/pieces/1/picture", params=query), 422)
    problem(mail.get("/v1/mail/pieces/1/picture", params={"token": TOKEN}), 409)
    for path in ("a.png", "..%2fa.png", "-1"):
        answer = mail.get(f"/v1/mail/pieces/{path}/picture", params={"token": TOKEN})
        assert answer.status_code in (404, 422)


def test_a_piece_without_a_line_has_no_close_picture(
    mail: Any, trays: Path, problem: Any
) -> None:
    """A state of an older version holds no boxes: the piece is shown whole."""
    with open_store(trays) as store, store.transaction() as run:
        run("UPDATE pieces SET routing = json_remove(routing, '$.box', '$.boxes')")
    task = claim(mail)["task"]
    assert (task["picture"]["box"], task["picture"]["view"]) == (None, None)
    assert picture(mail, task).status_code == 200
    problem(picture(mail, task, "line"), 404)


def test_a_lab_without_trays_says_how_to_get_mail(lab: Any, problem: Any) -> None:
    """It tells the commands; what wants the queue is refused in words."""
    state = lab.get("/v1/mail").json()
    assert (state["open"], state["queue"]) == (False, None)
    assert [item.split()[1] for item in state["how"]] == ["mail", "mail", "route", "serve"]
    answer = problem(lab.post("/v1/mail/claim", json=ANN), 503)
    assert "--trays" in answer["try"]
    problem(lab.get("/v1/mail/corrections"), 503)
    problem(lab.get("/v1/mail/zips/00501"), 503)


def test_a_large_scan_is_made_smaller(tmp_path: Path) -> None:
    """A large picture is brought to the page's size; its line is cut from the full one."""
    path = tmp_path / "large.png"
    Image.fromarray(np.full((2000, 5000), 200, np.uint8)).save(path)
    scan = load_scan(path, "large", (4000.0, 1000.0, 4400.0, 1100.0), max_pixels=10_000_000)
    assert (scan.width, scan.height) == (5000, 2000)
    with Image.open(io.BytesIO(scan.whole)) as whole:
        assert whole.size == (MAX_SIDE, 640)
    assert scan.close is not None
    with Image.open(io.BytesIO(scan.close)) as close:
        assert close.size == (821, 261)
    with pytest.raises(TooLargeError, match="the limit is 10 megapixels"):
        load_scan(path, "large", None, max_pixels=9_999_999)
    assert (
        load_scan(path, "large", (9000.0, 0.0, 9100.0, 9.0), max_pixels=10_000_000).close
        is None
    )


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_piece_on_its_head_is_shown_upright(tmp_path: Path, quarters: int) -> None:
    """The whole of it and its line are turned, and so is the line's box."""
    page = np.full((200, 500), 200, np.uint8)
    page[100:120, 300:400] = np.linspace(0, 120, 100, dtype=np.uint8)
    Image.fromarray(page).save(tmp_path / "page.png")
    Image.fromarray(np.rot90(page, quarters)).save(tmp_path / "lying.png")
    box = (300.0, 100.0, 400.0, 120.0)
    there, _ = rotate_upright(box, (500, 200), 90 * quarters)
    scan = load_scan(tmp_path / "page.png", "a", box, max_pixels=100_000)
    lying = load_scan(
        tmp_path / "lying.png", "a", there, max_pixels=100_000, rotation=360 - 90 * quarters
    )
    assert scan == lying
    assert lying.box == box


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe, a folder and a file of many bytes are refused, and nothing is read of them."""
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("pipe.png", "none.png", "."):
        with pytest.raises(DataError, match="is gone"):
            load_scan(tmp_path / name, "it", None, max_pixels=1000)
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(TooLargeError, match="too large a file"):
        load_scan(tmp_path / "long.png", "it", None, max_pixels=1000)


def test_scans_are_made_once_and_anew_for_a_new_file(
    small_mail: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page asks several times; a file that changed is another picture."""
    path, made = tmp_path / "a.png", []

    def count(*args: Any, **options: Any) -> Scan:
        made.append(args)
        return load_scan(*args, **options)

    monkeypatch.setattr(desks, "load_scan", count)
    desk = ReviewDesk(tmp_path, SimpleNamespace(), small_mail.plan, small_mail.directory)
    task = SimpleNamespace(picture=path, name="a", box=None, boxes=())
    Image.new("L", (50, 40)).save(path)
    assert desk._load_scan(task) is desk._load_scan(task)
    path.write_bytes(b"no picture")
    for _ in range(2):
        with pytest.raises(CorruptFileError):
            desk._load_scan(task)
    assert len(made) == 2


def test_a_database_is_not_counted_for_each_answer(small_mail: Any, tmp_path: Path) -> None:
    """Of a store that several labs share the figures are counted once a second for all."""
    counted, clock = [], [100.0]

    def count() -> dict[str, int]:
        counted.append(clock[0])
        return {"waiting": len(counted), "yours": 0}

    store = SimpleNamespace(is_shared=True, counts=lambda _: {"ann": 3})
    review = SimpleNamespace(store=store, status=count, now=lambda: clock[0])
    desk = ReviewDesk(tmp_path, review, small_mail.plan, small_mail.directory)  # type: ignore[arg-type]
    assert desk.status("ann") == {"waiting": 1, "yours": 3}
    assert desk.status("bob") == {"waiting": 1, "yours": 0}
    clock[0] += 1.0
    assert desk.status() == {"waiting": 2, "yours": 0}
    clock[0] -= 50.0  # a clock that was set back
    assert desk.status()["waiting"] == 3


def test_a_desk_is_opened_or_says_why_not(
    sort_mail: Any, small_mail: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trays, a damaged state, no plan and a damaged plan are told before a lab starts."""
    pytest.importorskip("zipcodes")
    monkeypatch.setattr("digitlens.mail.directory.load_directory", lambda: small_mail.directory)
    plan, mail = tmp_path / "plan.toml", tmp_path / "mail"
    mail.mkdir()
    Image.new("L", (50, 40)).save(mail / "a.png")
    trays = sort_mail(mail, tmp_path / "trays")
    with pytest.raises(MissingDataError, match=r"there is no file .*plan\.toml"):
        open_desk(trays, plan)
    plan.write_text("trays = 3")
    with pytest.raises(DataError, match=r"plan\.toml"):
        open_desk(trays, plan)
    plan.write_text('default = "rest"\n[trays]\n')
    assert open_desk(trays, plan).status()["waiting"] == 1
    with pytest.raises(MissingDataError, match="nothing was sorted into"):
        open_desk(tmp_path, plan)
    (tmp_path / FILE).write_bytes(b"no state" * 500)
    with pytest.raises(CorruptFileError):
        open_desk(tmp_path, plan)
    with pytest.raises(UsageError):
        open_desk(trays, plan).claim("\ud800", "", 0)
    assert desks.HOW_TO_START[-1].startswith("digitlens serve --trays")
