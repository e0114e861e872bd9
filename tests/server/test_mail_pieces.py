"""Pieces that programs send: where they go, and each of them once."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.ctc import Line, LineDigit
from digitlens.imaging.io import load_image
from digitlens.mail.barcodes import decode_imb
from digitlens.mail.candidates import ZipCandidate
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.sorting.stores import open_store
from digitlens.server.app import Lab
from digitlens.server.settings import ServerSettings
from digitlens.workers import WorkerPool

ANN = {"person": "ann"}


@pytest.fixture
def sorter(
    small_mail: Any, tmp_path: Path, lab_client: Callable[[Lab], Any], in_tmp: Path
) -> Iterator[Any]:
    """Return a client of a lab to which scanners send; its reader is sure of what is sent."""
    trays, scans = tmp_path / "plant/trays", tmp_path / "plant/scans"
    trays.mkdir(parents=True)
    with open_store(trays, create=True):
        pass
    lab = Lab(ServerSettings(folder=in_tmp), small_mail.open_desk(trays, scans))
    lab.state.mail.policy = RoutingPolicy(small_mail.directory)
    lab.state.mail.read = read_width
    with lab_client(lab) as client:
        yield client


def read_width(picture: Any) -> Any:
    """Read a line that the picture's width stands for; some are damaged, or take long."""
    width = load_image(picture).pixels.shape[1]
    if width == 13:
        raise RuntimeError("the engine is not what it was")
    text = {41: "02134", 42: "90219"}.get(width, "90210")
    box = (10.0, 10.0, 60.0, 30.0)
    digits = tuple(LineDigit(digit, 0.9995, box) for digit in text)
    return [ZipCandidate(Line(text, 0.9995, box, digits), 0.9999)]


def envelope(png: Any, width: int) -> bytes:
    """Return a picture so many pixels wide."""
    return png(np.full((20, width), 200))


def send(sorter: Any, content: bytes, **query: Any) -> Any:
    """Send a piece as a scanner does."""
    headers = {"content-type": "image/png"}
    return sorter.post("/v1/mail/pieces", params=query, content=content, headers=headers)


def test_a_claim_waits_for_a_piece(sorter: Any, png: Any) -> None:
    """With `wait` the answer comes with the piece that a scanner sends meanwhile."""
    assert sorter.post("/v1/mail/claim", json={**ANN, "wait": 0.01}).json()["task"] is None
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(sorter.post, "/v1/mail/claim", json={**ANN, "wait": 30})
        send(sorter, envelope(png, 42), id="late")
        assert answer.result().json()["task"]["name"] == "late.png"


def test_a_picture_is_routed(sorter: Any, png: Any) -> None:
    """The answer has ZIP, tray and barcode, or why a person must look; nothing is kept."""

    def route(width: int, **query: Any) -> Any:
        headers = {"content-type": "image/png"}
        content = envelope(png, width)
        return sorter.post("/v1/route", params=query, content=content, headers=headers)

    answer = route(41, serial=7).json()
    assert (answer["zip"], answer["tray"], answer["reason"]) == ("02134", "MA", None)
    bars = decode_imb(answer["barcode"])
    assert (bars.routing, bars.serial) == ("02134", "000000007")
    answer = route(42).json()
    assert (answer["tray"], answer["reason"], answer["barcode"]) == (
        "review",
        "unknown-zip",
        None,
    )
    assert route(41, city="Beverly Hills", state="CA").json()["reason"] == "other-place"
    assert route(41, city="Nowhere", state="MA").json()["zip"] == "02134"
    assert sorter.get("/v1/mail").json()["queue"]["trays"] == {}


def test_a_sorter_that_cannot_wait_is_answered_in_time(sorter: Any, png: Any) -> None:
    """What is not read within its time goes to a person, by an answer and not by an error."""
    free = threading.Event()

    def wait(_: Any) -> Any:
        free.wait(30)
        return []

    sorter.state.mail.read = wait
    query, headers = {"within": 0.01}, {"content-type": "image/png"}
    answer = sorter.post(
        "/v1/route", params=query, content=envelope(png, 41), headers=headers
    ).json()
    free.set()
    assert (answer["zip"], answer["reason"]) == (None, "late")
    assert answer["why"] == "not read within 0.01 s"


def test_a_sorter_is_told_at_once_that_others_are_first(
    sorter: Any, png: Any, problem: Any
) -> None:
    """Where those before it take too long it need not wait: it is told when to ask again."""
    begun, free = threading.Semaphore(0), threading.Event()

    def read(_: Any) -> Any:
        begun.release()
        free.wait(30)
        return []

    sorter.state.mail.read = read
    threads = sorter.state.mail_threads
    about = {"content": envelope(png, 41), "headers": {"content-type": "image/png"}}
    first = [sorter.begin("POST", "/v1/route", **about) for _ in range(threads.count)]
    for _ in first:
        assert begun.acquire(timeout=30)
    for seconds in (1000.0, 1.5):  # until half of it is done others have no place either
        threads._mean = seconds * threads.count
        answer = sorter.post("/v1/route", **about)
        assert problem(answer, 503)["type"] == "urn:digitlens:busy"
        assert answer.headers["retry-after"] == "2"
    free.set()
    assert {answer.result(60).json()["reason"] for answer in first} == {"no-digits"}
    # Who says how long it waits has its answer, without a thread that others could have.
    threads._mean = 1000.0
    late = sorter.post("/v1/route", params={"within": 9}, **about).json()
    assert (late["reason"], begun.acquire(blocking=False)) == ("late", False)


def test_a_plant_need_not_wait_for_its_first_piece(
    sorter: Any, lab_client: Callable[[Lab], Any], in_tmp: Path
) -> None:
    """A lab that keeps what scanners send starts what reads as it opens."""
    seen: queue.SimpleQueue[Any] = queue.SimpleQueue()
    lab = Lab(ServerSettings(folder=in_tmp), sorter.state.desk)
    lab.state.mail.read = seen.put
    with lab_client(lab) as client:
        for _ in range(client.state.mail_threads.count):
            assert seen.get(timeout=30).min() == 255


def test_a_piece_that_kills_its_process_costs_its_own_answer(
    sorter: Any, png: Any, problem: Any
) -> None:
    """A sorter has an error, a scanner a piece that waits; the service goes on."""
    pool: WorkerPool[int, Any] = WorkerPool(partial(partial, os._exit), limit=60)
    sorter.state.mail.read = lambda _: pool.run(3)
    about = {"content": envelope(png, 41), "headers": {"content-type": "image/png"}}
    answer = sorter.post("/v1/route", **about)
    assert "died" in problem(answer, 500)["detail"]
    taken = send(sorter, envelope(png, 41), id="k").json()
    assert (taken["reason"], taken["tray"]) == ("unreadable", "review")
    assert "died" in taken["why"]
    pool.close()


def test_a_piece_that_is_sent_twice_is_one(sorter: Any, png: Any, problem: Any) -> None:
    """It lies in its tray once, and the second answer says how it stands."""
    first = send(sorter, envelope(png, 41), id="s1-0001").json()
    assert (first["new"], first["tray"], first["file"]) == (True, "MA", "MA/s1-0001.png")
    again = send(sorter, envelope(png, 41), id="s1-0001").json()
    assert again == first | {"new": False}
    desk = sorter.state.desk
    assert [path.name for path in (desk.folder / "MA").iterdir()] == ["s1-0001.png"]
    assert [path.name for path in desk.scans.glob("[!.]*")] == ["s1-0001.png"]
    other = problem(send(sorter, envelope(png, 43), id="s1-0001"), 409)
    assert other["type"] == "urn:digitlens:other-picture"
    assert sorter.get("/v1/mail").json()["queue"]["trays"] == {"MA": 1}


def test_what_is_sent_eight_times_at_once_is_one(sorter: Any, png: Any) -> None:
    """Of equal pictures one answer says that it is new, of different ones one is kept."""
    equal = [envelope(png, 41)] * 8
    others = [envelope(png, 50 + index) for index in range(7)] + [b"no picture"]
    with ThreadPoolExecutor(8) as pool:
        for name, contents in (("a", equal), ("b", others), ("c", others)):
            together = threading.Barrier(8)

            def post(content: bytes, name: str = name, together: Any = together) -> Any:
                together.wait(60)
                return send(sorter, content, id=name)

            answers = list(pool.map(post, contents))
            taken = [answer.json() for answer in answers if answer.status_code == 200]
            assert [item["new"] for item in taken].count(True) == 1
            assert len({item["piece"] for item in taken}) == 1
            assert len(taken) == (8 if contents is equal else 1)
            kept = [path for path in sorter.state.desk.scans.iterdir() if path.stem == name]
            assert [path.read_bytes() in contents for path in kept] == [True]
    assert sum(sorter.get("/v1/mail").json()["queue"]["trays"].values()) >= 1
    with open_store(sorter.state.desk.folder) as state:
        assert len(list(state.pieces())) == 3


def test_what_a_scanner_sends_can_be_reviewed(sorter: Any, png: Any) -> None:
    """A piece of which the reader is not sure is lent and settled, and then told as settled."""
    assert send(sorter, envelope(png, 42), id="a").json()["decision"] == "review"
    task = sorter.post("/v1/mail/claim", json=ANN).json()["task"]
    assert (task["name"], task["reason"]) == ("a.png", "unknown-zip")
    assert (
        sorter.post(
            f"/v1/mail/pieces/{task['piece']}/settle",
            json={"token": task["token"], "zip": "02135"},
        ).status_code
        == 200
    )
    settled = send(sorter, envelope(png, 42), id="a").json()
    assert (settled["decision"], settled["tray"], settled["new"]) == ("settled", "MA", False)


def test_what_could_not_be_read_is_read_when_it_is_sent_again(sorter: Any, png: Any) -> None:
    """A damaged picture is a piece that waits; after a fault of ours it is read again."""
    assert send(sorter, b"no picture", id="n").json()["reason"] == "unreadable"
    assert send(sorter, b"no picture", id="n").json()["new"] is False
    first = send(sorter, envelope(png, 13), id="f").json()
    assert (first["reason"], first["tray"]) == ("unreadable", "review")
    read = sorter.state.mail.read
    sorter.state.mail.read = lambda _: read(np.zeros((20, 41), np.uint8))
    second = send(sorter, envelope(png, 13), id="f").json()
    assert (second["piece"], second["tray"]) == (first["piece"], "MA")
    assert not list((sorter.state.desk.folder / "review").glob("f*"))


@pytest.mark.parametrize("name", ["", "../a", ".a", "a/b", "a" * 101, "a\x00"])
def test_a_piece_is_called_as_a_file_can_be(
    sorter: Any, png: Any, problem: Any, name: str
) -> None:
    """A name that leads elsewhere is refused, and nothing is written."""
    answer = send(sorter, envelope(png, 41), id=name)
    assert problem(answer, answer.status_code)["status"] in (400, 422)
    assert not list(sorter.state.desk.scans.glob("*")) or not sorter.state.desk.scans.exists()


def test_a_lab_without_scans_keeps_no_pieces(sorter: Any, png: Any, problem: Any) -> None:
    """It says how it is opened."""
    sorter.state.desk.scans = None
    assert "--scans" in problem(send(sorter, envelope(png, 41), id="a"), 503)["try"]
