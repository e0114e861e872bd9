"""The benchmark of readers asks the same of all, keeps what they say and makes tables of it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from digitlens.digits import Digits
from readers import processes
from readers.answer_cache import AnswerCache
from readers.installs import NotInstalledError
from readers.pictures import CHEQUES, FIVES, PHOTOS, STRIPS, Task, cheques, pages, strips
from readers.processes import OURS, READERS, ReaderProcess, ReaderSpec, last_word
from readers.protocol import Answer, Piece, Request
from readers.results import ReaderResults, paired, share
from readers.table import table
from reading import ask_all, choose_settings, foot, open_readers

FAKE = """
import sys
from pathlib import Path
from readers.protocol import Piece, serve

def read(picture, request):
    print("a library that talks")
    if picture == "bad.png":
        raise ValueError("cannot be read")
    if picture == "end.png":
        raise SystemExit(7)
    text = request["setting"] + Path(picture).stem * (request["length"] or 1)
    return [Piece(text=text, confidence=0.5, box=[0.0, 0.0, 1.0, 1.0], parts=[])]

if sys.argv[1:] == ["absent"]:
    raise SystemExit("no such thing here")
serve({"fake": "1.0"}, lambda path: Path(path).name, read, lambda request: 0.25)
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReaderSpec:
    """Return a reader that answers with its setting and the picture's name."""
    (tmp_path / "fake_reader.py").write_text(FAKE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(processes, "BENCH", tmp_path / "bench")
    return ReaderSpec("Fake", "fake_reader", lambda: sys.executable, lambda: 12.0)


@pytest.fixture
def opened(fake: ReaderSpec) -> Iterator[ReaderProcess]:
    """Return that reader, started."""
    reader = ReaderProcess(fake)
    yield reader
    reader.close()


def request(path: str = "7.png", length: int | None = None, setting: str = "") -> Request:
    """Return the request to read a line."""
    return {"path": path, "page": False, "length": length, "setting": setting}


def test_a_reader_in_a_process_answers_in_turn(opened: ReaderProcess) -> None:
    """It says its versions, then answers; what its library prints does not disturb the wire."""
    assert opened.versions == {"fake": "1.0"}
    assert opened.ask(request())["pieces"][0]["text"] == "7"
    answer = opened.ask(request(length=2, setting="1"))
    assert (answer["pieces"][0]["text"], answer["bar"], answer["error"]) == ("177", 0.25, "")
    assert answer["cpu"] >= 0
    assert answer["wall"] > 0


def test_a_picture_that_fails_is_an_answer(opened: ReaderProcess) -> None:
    """The error is told, and the next picture is read."""
    bad = opened.ask(request("bad.png"))
    assert (bad["error"], bad["pieces"]) == ("ValueError: cannot be read", [])
    assert opened.ask(request())["error"] == ""


def test_a_reader_that_ends_midway_ends_the_benchmark(opened: ReaderProcess) -> None:
    """A process that is gone is no wrong answer."""
    with pytest.raises(SystemExit, match=r"Fake ended while it read end\.png"):
        opened.ask(request("end.png"))


def test_a_reader_that_cannot_be_had_is_named_with_its_reason(
    fake: ReaderSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table says loudly who was not measured and why; no row is left out."""
    missing = replace(fake, arguments=("absent",))
    with pytest.raises(NotInstalledError, match="no such thing here"):
        ReaderProcess(missing)
    result = ReaderResults(missing, AnswerCache(tmp_path / "kept.json"))
    assert open_readers([result], ["Fake"]) == {}
    assert "NOT MEASURED: Fake: no such thing here" in capsys.readouterr().err
    text = table([result], {"clean": [line_task(tmp_path, "1")]})
    assert text.startswith("**NOT MEASURED: Fake: no such thing here**")
    assert "| strips, clean | 1 | not measured |" in text


def test_why_a_process_ended_is_found_in_what_it_wrote() -> None:
    """The last line that is not indented: of a traceback, or of an error in several lines."""
    assert (
        last_word("Traceback\n  File\nModelError: none\n  seen nothing\n") == "ModelError: none"
    )
    assert last_word("\n") == "it ended without a word"


def line_task(folder: Path, text: str, group: str = "clean", index: int = 0) -> Task:
    """Return the task to read a line whose picture nobody else has."""
    path = folder / f"{text}.png"
    path.write_bytes(f"{text} {index}".encode())
    return Task(group, path.name, path, (text,))


def test_all_are_asked_the_same_and_answers_are_kept(fake: ReaderSpec, tmp_path: Path) -> None:
    """Answers come back from the file, for the same bytes and no others."""
    result = ReaderResults(fake, AnswerCache(tmp_path / "kept.json"))
    readers = open_readers([result], ["Fake"])
    tasks = [line_task(tmp_path, "1"), line_task(tmp_path, "2")]
    ask_all(readers, [result], tasks)
    readers["Fake"].close()
    kept = AnswerCache(tmp_path / "kept.json")
    assert kept.about["versions"] == {"fake": "1.0"}
    answers = ReaderResults(fake, kept).answers(tasks, "")
    assert answers is not None
    assert [item["pieces"][0]["text"] for item in answers] == ["1", "2"]
    assert kept.get(tasks[0], None, "other") is None
    assert kept.get(line_task(tmp_path, "1", index=1), None, "") is None
    assert "1 answers were errors" not in foot([result], {"clean": tasks}, 1)


def test_the_setting_is_the_one_that_reads_most_validation_lines(
    fake: ReaderSpec, tmp_path: Path
) -> None:
    """The first of equals; a reader that is not asked keeps the one of its last run."""
    several = replace(fake, line_settings=("4", "", " "))
    result = ReaderResults(several, AnswerCache(tmp_path / "kept.json"))
    readers = open_readers([result], ["Fake"])
    validation = {"clean": [line_task(tmp_path, "1"), line_task(tmp_path, "2")]}
    choose_settings(readers, [result], validation)
    readers["Fake"].close()
    assert result.line_setting == ""
    assert (result.kept.about["line_setting"], result.size) == ("", 12.0)
    result.kept.about["line_setting"] = " "
    choose_settings({}, [result], validation)
    assert result.line_setting == " "
    other = ReaderResults(several, AnswerCache(tmp_path / "other.json"))
    choose_settings({}, [other], {})
    assert other.line_setting == "4"
    assert "Fake" not in foot([other], {}, 1)


def test_who_takes_lengths_is_asked_with_and_without() -> None:
    """Of a page each wanted length once; of a line only the one that is told."""
    ours = READERS[0]
    page = Task(PHOTOS, "a", Path("a"), ("12345", "42", "88888"), page=True)
    assert ours.name == OURS
    assert ours.questions(page, "") == [(None, ""), (2, ""), (5, "")]
    assert ours.questions(Task(FIVES, "a", Path("a"), ("12345",), length=5), "") == [(5, "")]
    peer = READERS[1]
    assert peer.questions(page, "any") == [(None, "any"), (None, "digits")]
    told = Task(FIVES, "a", Path("a"), ("12345",), length=5)
    assert [kind.questions(told, "x") for kind in READERS[1:]] == [[(5, "x")], [(None, "x")]]
    assert peer.questions(Task("clean", "a", Path("a"), ("1",)), "any") == [(None, "any")]


@pytest.mark.parametrize("group", [*STRIPS, FIVES])
def test_strips_are_the_same_for_the_same_seed(
    group: str, digits: Digits, tmp_path: Path
) -> None:
    """Pictures on disk are those of the generator; those of five digits have five."""
    first = strips(digits, group, 3, 5, tmp_path / "a")
    again = strips(digits, group, 3, 5, tmp_path / "b")
    other = strips(digits, group, 3, 6, tmp_path / "c")
    assert [task.digest for task in first] == [task.digest for task in again]
    assert [task.truth for task in first] != [task.truth for task in other]
    assert cv2.imread(str(first[0].path), cv2.IMREAD_GRAYSCALE).ndim == 2
    assert all((task.length, len(task.truth[0])) == (5, 5) for task in first) == (
        group == FIVES
    )


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows of a truth.csv."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_real_pictures_come_with_their_truth(tmp_path: Path) -> None:
    """Lines are parted by bars, grids are a set of their own, fives are asked twice."""
    rows = [
        {"file": "photos/a.jpg", "truth": "0123|42", "kind": "photo", "size": "30x20"},
        {"file": "printed/b.png", "truth": "10|02", "kind": "sudoku, printed", "size": "9x9"},
        {"file": "printed/c.png", "truth": "59130", "kind": "printed code", "size": "9x9"},
    ]
    write_rows(tmp_path / "truth.csv", rows)
    result = pages(tmp_path)
    assert [task.group for task in result] == [PHOTOS, "printed grids", "printed"]
    assert (result[0].truth, result[0].pixels, result[0].page) == (("0123", "42"), 600, True)
    amounts = [{"file": "a.jpg", "truth": "2250"}, {"file": "b.jpg", "truth": "10248"}]
    write_rows(tmp_path / "strings_orand" / "truth.csv", amounts)
    assert [(task.group, task.length) for task in cheques(tmp_path)] == [
        *[("cheque amounts", None)] * 2,
        (FIVES, 5),
    ]
    with pytest.raises(SystemExit, match="DIGITLENS_REAL names no folder"):
        cheques(tmp_path / "elsewhere")


def answered(
    kind: ReaderSpec, tasks: list[Task], texts: list[str], folder: Path
) -> ReaderResults:
    """Return a reader that answered lines with these texts, all .9 sure, and a bar of .8."""
    result = ReaderResults(kind, AnswerCache(folder / f"{kind.name}.json"))
    result.kept.about = {"versions": {"fake": "1.0"}, "date": "2026-01-01"}
    for task, text in zip(tasks, texts, strict=True):
        piece = Piece(text=text, confidence=0.9, box=[0.0, 0.0, 9.0, 9.0], parts=[])
        answer = Answer(pieces=[piece], bar=0.8, cpu=0.002, wall=0.004, error="")
        for length, setting in kind.questions(task, ""):
            result.kept.put(task, length, setting, answer)
    return result


def test_the_tables_say_what_was_read(fake: ReaderSpec, tmp_path: Path) -> None:
    """Ours by its own bar, a peer by that of its validation lines, a missing figure as dash."""
    tasks = [line_task(tmp_path, "12"), line_task(tmp_path, "34")]
    page = replace(line_task(tmp_path, "56"), group=PHOTOS, page=True, pixels=4)
    every = {"clean": tasks, PHOTOS: [page]}
    ours = answered(
        replace(fake, name=OURS, takes_page_length=True),
        [*tasks, page],
        ["12", "3", "56"],
        tmp_path,
    )
    peer = answered(fake, [*tasks, page], ["12", "34", "5 6"], tmp_path)
    peer.validation, peer.kept.about["size"] = {"clean": tasks}, 12.4
    text = table([ours, peer], every)
    assert "| strips, clean | 2 | 50.0 % (1.3 to 98.7) | 100.0 % (15.8 to 100.0) |" in text
    ours_read, peer_read = "100.0 %, 1 of 2 wrong; at best 0.0 %", "100.0 %, 0 of 2 wrong"
    assert f"| strips, clean | 2 | {ours_read} | {peer_read}; at best 100.0 % |" in text
    assert "| photos, envelopes, forms: wanted strings found | 1 | 1 | 1 |" in text
    assert "| photos, envelopes, forms: ranked first, length told | 1 | 1 | – |" in text
    assert "| a strip, median | 2 | 2.0 ms | 2.0 ms |" in text
    assert "| installed |  | not measured | 12 MB |" in text
    assert "sudoku" not in text
    assert "Fake: fake 1.0; 2026-01-01." in foot([peer], every, 2)


def test_two_readers_are_compared_line_by_line(fake: ReaderSpec, tmp_path: Path) -> None:
    """Lines that only one reads right are counted; unknown where one was not asked."""
    tasks = [line_task(tmp_path, text, CHEQUES) for text in ("12", "34", "56")]
    one = answered(replace(fake, name="A"), tasks, ["12", "34", "5"], tmp_path)
    other = answered(replace(fake, name="B"), tasks, ["1", "34", "5"], tmp_path)
    words = "1 only A reads right, 0 only B (McNemar's p 1)"
    assert paired(one, other, tasks) == words
    assert f"- Cheque amounts: {words}." in foot([one, other], {CHEQUES: tasks}, 2)
    assert paired(one, ReaderResults(fake, AnswerCache(tmp_path / "none.json")), tasks) is None


def test_shares_have_their_interval() -> None:
    """Per cent of the whole, and the ends of the interval."""
    assert share(0, 3) == "0.0 % (0.0 to 70.8)"
