"""How the benchmark asks each reader, and what it makes of what the reader says."""

from __future__ import annotations

from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.ctc import Line, LineDigit
from digitlens.errors import ModelError
from readers.digitlens_reader import own_threshold, pieces_of
from readers.installs import folder_size
from readers.protocol import Piece, Request
from readers.rapid import Decoder, spelled
from readers.tesseract import pieces_of as tesseract_pieces


def request(length: int | None = None, *, page: bool = False) -> Request:
    """Return the request to read a picture."""
    return {"path": "7.png", "page": page, "length": length, "setting": ""}


class FakeReader:
    """What stands in for `digitlens.Reader`: reads its own name."""

    def __init__(self, confidence: float | None = 0.75) -> None:
        self.confidence = confidence

    def read_line(self, picture: Any, length: int | None = None) -> Line:
        """Read as many sevens as are wanted."""
        text = "7" * (length or 1)
        digit = LineDigit("7", 0.9, (0, 0, 4, 8))
        return Line(text, 0.8, (0, 0, 4, 8), (digit,) * len(text))

    def read(self, picture: Any, length: int | None = None) -> list[Line]:
        """Read two lines."""
        return [self.read_line(picture, length), self.read_line(picture)]

    def bar(self, max_error: float, length: int | None = None) -> FakeReader:
        """Return something that has a confidence."""
        assert max_error == 0.01
        if length == 9:
            raise ModelError("not calibrated")
        return self


def test_our_reader_is_asked_for_a_line_or_a_page() -> None:
    """Text, confidences of line and digits, and box come through; a line is one piece."""
    line = pieces_of(FakeReader(), None, request(length=2))
    expected = Piece(text="77", confidence=0.8, box=[0.0, 0.0, 4.0, 8.0], parts=[0.9, 0.9])
    assert line == [expected]
    page = pieces_of(FakeReader(), None, request(length=3, page=True))
    assert [piece["text"] for piece in page] == ["777", "7"]


def test_our_bar_is_the_readers_own() -> None:
    """Where no bar keeps the promise, and where nothing is calibrated, there is none."""
    assert own_threshold(FakeReader(), None) == 0.75
    assert own_threshold(FakeReader(None), None) is None
    assert own_threshold(FakeReader(), 9) is None


def test_tesseracts_table_becomes_lines() -> None:
    """Words of a line are joined; levels above words and empty words are left out."""
    rows = [
        "1\t1\t0\t0\t0\t0\t0\t0\t90\t40\t-1\t",
        "5\t1\t1\t1\t1\t1\t5\t6\t10\t20\t90.0\t12",
        '5\t1\t1\t1\t1\t2\t25\t4\t15\t20\t50.0\t"3',
        "5\t1\t1\t1\t2\t1\t5\t60\t10\t20\t0\t ",
        "5\t1\t2\t1\t1\t1\t5\t90\t10\t20\t-1\t7",
    ]
    one, two = tesseract_pieces("\n".join(rows) + "\n")
    assert (one["text"], one["confidence"], one["box"]) == (
        '12 "3',
        0.7,
        [5.0, 4.0, 40.0, 26.0],
    )
    assert (two["text"], two["confidence"]) == ("7", 0.0)
    assert tesseract_pieces("") == []


class FakeDecoder:
    """RapidOCR's decoder as far as it is used: the likeliest character of each frame."""

    letters = ("", *"0123456789", "S")

    def __init__(self) -> None:
        self.dict = {letter: index for index, letter in enumerate(self.letters)}

    def __call__(self, outputs: Any, words: bool, **more: Any) -> Any:
        """Return one line, and how sure its characters are."""
        text = "".join(self.letters[index] for index in outputs[0].argmax(1))
        confs = type("Word", (), {"confs": outputs[0].max(1).tolist()})()
        return [(text, 1.0)], [confs]


def test_rapidocr_can_be_kept_to_digits() -> None:
    """Other characters are forbidden before one is chosen; its own outputs stay untouched."""
    outputs = np.zeros((1, 1, 12), np.float32)
    outputs[0, 0, [6, 11]] = 0.25, 0.75
    decoder = Decoder(FakeDecoder())
    assert decoder(outputs)[0][0][0] == "S"
    decoder.digits_only = True
    assert decoder(outputs)[0][0][0] == "5"
    assert (decoder.each, float(outputs[0, 0, 11])) == ([[0.25]], 0.75)


def brute(shares: Any, length: int) -> tuple[str, float]:
    """Return the likeliest path of `length` digits among all paths, and its probability."""
    best = "", -1.0
    for path in product(range(shares.shape[1]), repeat=len(shares)):
        text = "".join(str(label - 1) for label, _ in groupby(path) if label)
        rng = float(np.prod(shares[range(len(path)), path]))
        if len(text) == length and rng > best[1]:
            best = text, rng
    return best


@pytest.mark.parametrize("seed", range(6))
def test_rapidocr_told_a_length_takes_the_likeliest_path(seed: int) -> None:
    """It is the best of all paths that spell so many digits."""
    shares = np.random.default_rng(seed).dirichlet(np.full(5, 0.4), 6)
    for length in (1, 2, 3):
        text, item = spelled(shares, length)
        assert text == brute(shares, length)[0]
        assert len(item) == length
        assert all(0 < one <= 1 for one in item)


def test_a_length_that_does_not_fit_is_never_sure() -> None:
    """Three frames cannot spell four digits, nor two frames twice the same."""
    certain = np.zeros((3, 11))
    certain[:, 8] = 1.0
    assert spelled(certain, 4) == ("0000", [0.0] * 4)
    assert spelled(certain, 1) == ("7", [1.0])


def test_rapidocr_is_told_the_length_through_its_decoder() -> None:
    """With a length its own decoder is not asked, and its score is the mean of the digits'."""
    outputs = np.zeros((1, 3, 12), np.float32)
    outputs[0, [0, 1, 2], [6, 0, 8]] = 1.0, 0.5, 0.75
    outputs[0, 1, 11] = 0.5
    decoder = Decoder(FakeDecoder())
    decoder.length = 2
    lines, words = decoder(outputs)
    assert (lines, words) == ([("57", 1.0)], [])


def test_sizes_leave_out_what_python_compiles(tmp_path: Path) -> None:
    """Bytes of all files, in megabytes, .pyc aside."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.py").write_bytes(b"x" * 500_000)
    (tmp_path / "deep" / "a.pyc").write_bytes(b"x" * 900_000)
    assert folder_size(tmp_path) == 0.5
    assert folder_size(tmp_path / "deep" / "a.py") == 0.5
