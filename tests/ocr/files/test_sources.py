"""What was named becomes the files that are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from digitlens.errors import DigitlensWarning, UsageError
from digitlens.imaging.inputs import list_inputs
from digitlens.imaging.io import IMAGE_SUFFIXES
from digitlens.mail.sorting.sort import scan_folder


def test_all_commands_agree_on_what_is_a_picture(in_tmp: Path) -> None:
    """Of one folder `read`, `predict` and `route` take the same files, .pbm among them."""
    names = [f"a{suffix}" for suffix in IMAGE_SUFFIXES] + ["B.PBM", "b.txt", ".c.png"]
    for name in names:
        (in_tmp / name).touch()
    wanted = sorted(Path(name) for name in names[:-2])
    assert Path("a.pbm") in wanted
    assert [item.path for item in list_inputs(["."])] == wanted
    assert list(scan_folder(Path(), Path("out"))) == wanted


def test_a_folder_is_its_pictures_by_name(in_tmp: Path) -> None:
    """Pictures and PDFs come by name; what else there is is told, but for text and hidden."""
    for name in ("b.png", "a.PDF", "c.txt", ".d.png", "deep/e.png", "f.png/g.png"):
        path = in_tmp / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (in_tmp / "scans" / "c.bin").write_bytes(b"\1\0\2")
    os.mkfifo(in_tmp / "scans" / "pipe.png")
    with pytest.warns(DigitlensWarning) as caught:
        result = list_inputs(["scans"])
    assert [item.name for item in result] == ["scans/a.PDF", "scans/b.png", "scans/pipe.png"]
    assert all(item.listed for item in result)
    assert str(caught[0].message) == (
        "scans: not read are 1 other file (c.bin); 2 folders (deep, f.png), "
        "which --recursive reads"
    )
    with pytest.warns(DigitlensWarning, match=r"not read are 1 other file \(c\.bin\)$"):
        names = [item.name for item in list_inputs(["scans"], recursive=True)]
    assert names[2:] == ["scans/deep/e.png", "scans/f.png/g.png", "scans/pipe.png"]


def test_pictures_are_told_by_their_first_bytes_too(in_tmp: Path) -> None:
    """A picture or document without a picture's name, HEIC and raw photos are not lost."""
    contents = {
        "IMG_1": b"\x89PNG\r\n",
        "IMG_2.HEIC": b"\0\0\0\x18ftypheic",
        "IMG_3.raf": b"FUJIFILMCCD-RAW",
        "scan.dat": b"%PDF-1.4",
        "notes": b"words",
        "page.html": b"<html>",
        "empty": b"",
    }
    for name, content in contents.items():
        (in_tmp / name).write_bytes(content)
    names = [item.name for item in list_inputs(["."])]
    assert names == ["IMG_1", "IMG_2.HEIC", "IMG_3.raf", "scan.dat"]


def test_an_empty_name_is_not_this_folder(in_tmp: Path) -> None:
    """A variable of the shell that is not set does not stand for all that lies around."""
    with pytest.raises(UsageError, match="must have a name"):
        list_inputs([""])


def test_what_is_not_there_stays_in_the_list(in_tmp: Path) -> None:
    """A missing file, a pattern without matches and an empty folder are told of when read."""
    (in_tmp / "empty").mkdir()
    named = ["none.png", "*.tif", "empty"]
    assert [item.name for item in list_inputs(named)] == named


def test_a_link_to_nothing_in_a_folder_is_not_passed_over(in_tmp: Path) -> None:
    """A picture that a folder lists but that leads nowhere is kept, to be told of."""
    (in_tmp / "scans").mkdir()
    (in_tmp / "scans" / "a.png").symlink_to("nowhere.png")
    assert [item.name for item in list_inputs(["scans"])] == ["scans/a.png"]


def test_patterns_are_expanded(in_tmp: Path) -> None:
    """A pattern gives what it matches by name, ** any depth, folders what is in them."""
    for name in ("a/2.png", "a/b/1.png", "a/3.jpg"):
        (in_tmp / name).parent.mkdir(parents=True, exist_ok=True)
        (in_tmp / name).touch()
    assert [item.name for item in list_inputs(["a/*.png"])] == ["a/2.png"]
    assert [item.name for item in list_inputs(["a/**/*.png"])] == ["a/2.png", "a/b/1.png"]
    assert [item.name for item in list_inputs(["a/?"])] == ["a/b/1.png"]


def test_a_file_with_such_a_name_is_no_pattern(in_tmp: Path) -> None:
    """A file whose name has brackets is that file."""
    (in_tmp / "scan[1].png").touch()
    (in_tmp / "scan1.png").touch()
    assert [item.name for item in list_inputs(["scan[1].png"])] == ["scan[1].png"]


def test_pictures_of_one_name_are_told_apart(in_tmp: Path) -> None:
    """No two sources share a stem, whatever the case of their letters."""
    stems = [item.stem for item in list_inputs(["a.png", "b/A.jpg", "a-2.png", "c/a.tif"])]
    assert stems == ["a", "A-2", "a-2-2", "a-3"]


def test_stdin_is_called_so(in_tmp: Path) -> None:
    """The file that stands for - is called stdin; without one, - is a file of that name."""
    (result,) = list_inputs(["-"], stdin=in_tmp / "x.pdf")
    assert (result.path, result.name, result.stem) == (in_tmp / "x.pdf", "stdin", "x")
    assert list_inputs(["-"])[0].name == "-"
