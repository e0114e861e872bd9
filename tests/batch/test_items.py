"""What was named, item by item: folders, lists, archives, tables, addresses."""

from __future__ import annotations

import io
import os
import tarfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import pytest
from PIL import Image

from digitlens.batch.items import Item, open_item, read_item
from digitlens.batch.listing import list_items
from digitlens.errors import (
    CorruptFileError,
    DataError,
    DigitlensWarning,
    MissingDataError,
    MissingExtraError,
    TooLargeError,
)
from digitlens.imaging.inputs import InputFile, list_inputs

CONTENTS = {"a.png": b"first", "deep/b.jpg": b"second " * 50}


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


@pytest.fixture
def archive(in_tmp: Path, request: pytest.FixtureRequest) -> Path:
    """Return a tar or zip with two pictures, a text and what systems leave."""
    others = {"read.me": b"words", "__MACOSX/a.png": b"junk", ".hidden.png": b"no"}
    if request.param == "tar":
        with tarfile.open("a.tar", "w") as tar:
            for name, content in (CONTENTS | others).items():
                _add(tar, name, content)
        return Path("a.tar")
    packing = zipfile.ZIP_STORED if request.param == "stored" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile("a.zip", "w", packing) as archive:
        for name, content in (CONTENTS | others).items():
            archive.writestr(name, content)
    return Path("a.zip")


@pytest.mark.parametrize("archive", ["tar", "stored", "deflated"], indirect=True)
def test_pictures_in_an_archive(archive: Path) -> None:
    """Each picture is read by its place; what is none is told of."""
    with pytest.warns(DigitlensWarning, match=r"not read are 1 other file \(read\.me\)"):
        items = list(list_items([str(archive)]))
    assert [item.name for item in items] == [f"{archive}/{name}" for name in CONTENTS]
    again = [Item.from_json(item.to_json()) for item in items]
    assert [read_item(item) for item in again] == list(CONTENTS.values())


@pytest.mark.parametrize("archive", ["tar", "deflated"], indirect=True)
@pytest.mark.filterwarnings("ignore::digitlens.errors.DigitlensWarning")
def test_an_archive_that_was_cut_costs_its_rows(archive: Path) -> None:
    """A picture that is no longer where it was listed is damaged; no archive is missing."""
    items = list(list_items([str(archive)]))
    archive.write_bytes(archive.read_bytes()[: items[1].offset + 40])
    assert read_item(items[0]) == b"first"
    with pytest.raises(CorruptFileError, match=r"b\.jpg is damaged"):
        read_item(items[1])
    archive.unlink()
    with pytest.raises(MissingDataError, match="there is no file"):
        read_item(items[0])


def test_a_packed_tar_is_refused(in_tmp: Path) -> None:
    """In a packed tar nothing can be found: the advice is to unpack it."""
    with tarfile.open("a.tar.gz", "w:gz") as tar:
        _add(tar, "a.png", b"first")
    with pytest.raises(DataError, match="must be a tar that is not packed") as caught:
        list(list_items(["a.tar.gz"]))
    assert "gunzip" in str(caught.value)


def test_only_a_tar_that_is_there_is_a_packed_tar(in_tmp: Path) -> None:
    """One that is missing is a row, as any file is, and so is a picture called like one."""
    Image.new("L", (9, 9)).save("scan.tar.png")
    names = ["missing.tar", "missing.tar.gz", "scan.tar.png"]
    assert [item.name for item in list_items([*names, "."])] == [*names, "scan.tar.png"]


def test_a_list_has_a_name_a_line(in_tmp: Path) -> None:
    """A .txt file stands for what it names: files and folders, missing ones too."""
    Path("m").mkdir()
    Path("m/b.png").write_bytes(b"b")
    Path("m/a.png").write_bytes(b"a")
    Path("names.txt").write_text("none.png\n\nm\nm/b.png\n")
    items = list(list_items(["names.txt"]))
    assert [item.name for item in items] == ["none.png", "m/a.png", "m/b.png", "m/b.png"]
    with pytest.raises(MissingDataError):
        read_item(items[0])


def test_a_file_that_was_changed_is_told(in_tmp: Path) -> None:
    """A file of another size than was listed is an error: its rows would be of another time."""
    Path("a.png").write_bytes(b"first")
    (item,) = list_items(["a.png"])
    Path("a.png").write_bytes(b"second")
    with pytest.raises(DataError, match="must be the file that was listed: 5 bytes"):
        read_item(item)


def test_a_listing_counts_in_every_folder(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed by a relative name is read from another folder too, under that name."""
    Path("a.png").write_bytes(b"first")
    (line,) = [item.to_json() for item in list_items(["a.png"])]
    Path("other").mkdir()
    monkeypatch.chdir("other")
    item = Item.from_json(line)
    assert (item.name, read_item(item)) == ("a.png", b"first")


def test_what_is_too_large_is_not_read(in_tmp: Path) -> None:
    """A size beyond the limit is refused before a byte is read."""
    with pytest.raises(TooLargeError, match="at most 536,870,912 bytes"):
        read_item(Item(Path("a.tar"), "a.tar/b.png", "", inside="tar", size=1 << 30))


def test_pages_are_items_of_their_own(in_tmp: Path) -> None:
    """A TIFF's pages are listed one by one where pages are wanted, else it is one picture."""
    frames = [Image.new("L", (30, 30), shade) for shade in (10, 200)]
    frames[0].save("a.tif", save_all=True, append_images=frames[1:])
    assert [item.page for item in list_items(["a.tif"])] == [-1]
    items = list(list_items(["a.tif"], pages=True))
    assert [item.page for item in items] == [0, 1]
    document = open_item(items[1])
    assert document.page(1).pixels.flat[0] == 200
    Path("b.tif").write_bytes(b"II*\0")
    assert [item.page for item in list_items(["b.tif"], pages=True)] == [-1]


def test_pictures_of_a_table(in_tmp: Path) -> None:
    """Bytes are read from a Parquet file's column, row by row, Hugging Face's structs too."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    structs = [{"bytes": b"a", "path": "a.png"}, {"bytes": b"b", "path": None}, None]
    table = pyarrow.table({"label": [1, 2, 3], "image": structs, "scan": [b"x", b"y", None]})
    parquet.write_table(table, "a.parquet", row_group_size=2)
    items = list(list_items(["a.parquet"]))
    assert [item.name for item in items] == ["a.parquet#0", "a.parquet#1", "a.parquet#2"]
    assert [read_item(item) for item in items[:2]] == [b"a", b"b"]
    with pytest.raises(DataError, match="must hold the bytes of a picture file"):
        read_item(items[2])
    assert read_item(list(list_items(["a.parquet"], column="scan"))[1]) == b"y"
    with pytest.raises(DataError, match="must have a column of pictures") as caught:
        list(list_items(["a.parquet"], column="none"))
    assert caught.value.seen == "columns label, image, scan"


def test_addresses_are_opened_by_fsspec(in_tmp: Path) -> None:
    """A folder, a pattern and a file at an address are listed and read as here."""
    pytest.importorskip("fsspec")
    Path("b.png").write_bytes(b"b")
    Path("a.png").write_bytes(b"a")
    Path("notes.csv").write_bytes(b"x")
    Path("._a.png").write_bytes(b"x")
    base = f"file://{in_tmp}"
    for address in (base, f"{base}/*.png"):
        passed = pytest.warns(DigitlensWarning, match=r"1 other file \(notes.csv\)")
        with passed if address == base else nullcontext():
            items = list(list_items([address]))
        assert [item.name for item in items] == [f"{base}/a.png", f"{base}/b.png"]
        assert [read_item(Item.from_json(item.to_json())) for item in items] == [b"a", b"b"]
    Path("empty").mkdir()
    for nothing in ("none.png", "none-*.png", "empty"):  # not passed over in silence
        (gone,) = list_items([f"{base}/{nothing}"])
        with pytest.raises(MissingDataError, match="cannot be fetched"):
            read_item(gone)


@pytest.mark.parametrize(
    ("name", "package"), [("s3://b/a", "fsspec"), ("a.parquet", "pyarrow")]
)
def test_without_the_extra_its_name_is_said(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    """What opens an address or a table is an extra, and the error names it."""
    Path("a.parquet").write_bytes(b"PAR1")
    for module in ("fsspec", "fsspec.core", "pyarrow"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match=r"the extra '(remote|tables)'") as caught:
        list(list_items([name]))
    assert package in str(caught.value)


def test_other_errors_of_an_address_are_words(in_tmp: Path) -> None:
    """A kind of address that nothing opens is an error in words."""
    pytest.importorskip("fsspec")
    with pytest.raises(DataError, match="is no address to read"):
        list(list_items(["nothing://a/b.png"]))


def test_a_list_in_a_list_is_an_item_of_its_own(tmp_path: Path) -> None:
    """It is not followed, as it may name itself, and not passed over in silence either."""
    path = tmp_path / "names.txt"
    path.write_text(f"{path}\n")
    assert [item.name for item in list_items([str(path)])] == [str(path)]


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    content = b""
    for info, data in members:
        content += info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)
    return content + bytes(1024)


def _member(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info


def test_a_tar_of_a_negative_size_ends(in_tmp: Path) -> None:
    """A member that leads back to its own header is damage; its listing went on for ever."""
    Path("a.tar").write_bytes(_tar((_member("a.png", -512), b"")))
    with pytest.raises(CorruptFileError, match=r"a\.tar is a damaged tar"):
        list(list_items(["a.tar"]))


def test_a_name_of_gigabytes_is_not_read(in_tmp: Path) -> None:
    """A header that says its name has 8 GiB is refused before they are read."""
    with Path("a.tar").open("wb") as file:
        file.write(
            _member("././@LongLink", 8 << 30, tarfile.GNUTYPE_LONGNAME).tobuf(
                tarfile.GNU_FORMAT
            )
        )
        file.truncate(9 << 30)  # a file of holes
    with pytest.raises(CorruptFileError, match="damaged") as caught:
        list(list_items(["a.tar"]))
    assert caught.value.seen == "a header of 8,589,934,592 bytes"


def test_a_damaged_header_in_a_tar_is_told(in_tmp: Path) -> None:
    """What follows a damaged header is not passed over in silence."""
    content = bytearray(_tar((_member("a.png", 5), b"first"), (_member("b.png", 4), b"next")))
    content[1024] ^= 1
    Path("a.tar").write_bytes(content)
    with pytest.raises(CorruptFileError, match="damaged") as caught:
        list(list_items(["a.tar"]))
    assert caught.value.seen == "no header at byte 1,024"


def test_links_in_a_tar_are_told(in_tmp: Path) -> None:
    """A link leads out of the archive or into it; it is not followed, and named."""
    link = _member("b.png", 0, tarfile.SYMTYPE)
    link.linkname = "/etc/passwd"
    Path("a.tar").write_bytes(_tar((_member("a.png", 5), b"first"), (link, b"")))
    with pytest.warns(DigitlensWarning, match=r"1 other file \(b\.png, a link or the like\)"):
        items = list(list_items(["a.tar"]))
    assert [item.name for item in items] == ["a.tar/a.png"]


def test_names_that_climb_are_names_only(in_tmp: Path) -> None:
    """A member called ../x.png is read from the archive, and nothing is written."""
    Path("a.tar").write_bytes(_tar((_member("../../x.png", 5), b"first")))
    (item,) = list_items(["a.tar"])
    assert read_item(item) == b"first"
    assert [path.name for path in in_tmp.iterdir()] == ["a.tar"]


def test_a_list_that_is_a_pipe_is_not_waited_for(in_tmp: Path) -> None:
    """Only files are opened: a pipe called names.txt is an item whose reading is an error."""
    os.mkfifo("names.txt")
    (item,) = list_items(["names.txt"])
    with pytest.raises(DataError, match="cannot be read"):
        read_item(item)


def test_a_damaged_archive_in_a_list_costs_its_row(in_tmp: Path) -> None:
    """One bad name of a list is one row; those behind it are read."""
    Path("a.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    Path("b.png").write_bytes(b"picture")
    Path("names.txt").write_text("a.zip\nb.png\n")
    assert [item.name for item in list_items(["names.txt"])] == ["a.zip", "b.png"]


def test_a_table_of_more_rows_than_bytes_is_damaged(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that says it has 10**15 rows is not listed without end."""
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    nothing = pyarrow.array([None] * 100_000, pyarrow.binary())
    parquet.write_table(pyarrow.table({"image": nothing}), "a.parquet")
    with pytest.raises(CorruptFileError, match="damaged") as caught:
        list(list_items(["a.parquet"]))
    assert "100,000 rows in" in str(caught.value.seen)


def test_a_row_group_that_unpacks_to_gigabytes_is_not_read(in_tmp: Path) -> None:
    """How much a row group unpacks to is looked at before it is unpacked."""
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    picture = pyarrow.array([bytes(1 << 24)], pyarrow.binary())
    whole = pyarrow.chunked_array([picture] * 70)
    parquet.write_table(
        pyarrow.table({"image": whole}), "a.parquet", use_dictionary=False, compression="zstd"
    )
    with pytest.raises(TooLargeError, match="row group"):
        read_item(next(iter(list_items(["a.parquet"]))))


@pytest.mark.parametrize("name", ["m", "./m/", ".", "m/none", "m/empty", "*"])
def test_a_folder_is_listed_as_read_lists_it(in_tmp: Path, name: str) -> None:
    """Whatever way a folder is named, a batch has the names that read gives, in their order."""
    for path in ("m/b.png", "m/a.png", "m/deep/c.png", "m/notes.bin"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(b"\0")
    Path("m/empty").mkdir()
    for recursive in (False, True):
        ours, theirs = (
            _list_with_warnings(work, name, recursive) for work in (list_items, list_inputs)
        )
        assert ours == theirs


def _list_with_warnings(
    work: Callable[..., Iterable[InputFile]], name: str, recursive: bool
) -> tuple[list[str], list[str]]:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        names = [item.name for item in work([name], recursive=recursive)]
    return names, [str(one.message) for one in told]


def test_a_large_folder_takes_the_memory_of_its_names(
    in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10,000 pictures no more is held than their names: 7 MB were held of all at once."""
    names = [f"{index:09d}.png" for index in range(10_000)]
    monkeypatch.setattr("digitlens.imaging.inputs._list_names", lambda _: (names[:], {}))
    Path("m").mkdir()
    tracemalloc.start()
    assert sum(1 for _ in list_items(["m"])) == len(names)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 << 20, "other threads of the tests have some of it"
