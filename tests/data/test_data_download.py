"""Downloads: whole and right, or an error that says what was tried. Nothing is fetched here."""

from __future__ import annotations

import errno
import hashlib
import http.client
import io
import ssl
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from digitlens.data import download as module
from digitlens.data import fetch
from digitlens.data.catalog import PublishedDataset, PublishedFile
from digitlens.data.download import UnreachableError, download
from digitlens.errors import HashMismatchError, MissingDataError, StorageError, UsageError

NAMES = ["a.gz", "b.gz", "c.gz", "d.gz", "t.gz"]
CONTENT = {name: name.encode() * 100 for name in NAMES}


def made(name: str) -> PublishedFile:
    """Return what is published as `name`."""
    content = CONTENT[name]
    return PublishedFile(name, len(content), hashlib.sha256(content).hexdigest(), "0" * 64)


A, B, C, D, T = (made(name) for name in NAMES)
ONE, TWO, TABLES = "https://one.invalid/", "https://two.invalid/", "https://tables.invalid/"
TINY = PublishedDataset("mnist", "Tiny MNIST", (A, B, C, D), (ONE, TWO), (T,), (TABLES,))


class Mirror:
    """Addresses that give content, or raise what stands for it; every call is kept."""

    def __init__(self, **wrong: bytes | Exception) -> None:
        self.wrong = wrong
        self.calls: list[str] = []

    def __call__(self, address: str, path: Path, tell: Callable[[int], None]) -> None:
        """Copy `address` to `path`."""
        self.calls.append(address)
        host, name = address.removeprefix("https://").split("/")
        answer = self.wrong.get(host.removesuffix(".invalid"), CONTENT[name])
        if isinstance(answer, Exception):
            raise answer
        path.write_bytes(answer)
        tell(len(answer) // 2)
        tell(len(answer) + 7)  # a size that the catalog has wrong


def names(folder: Path) -> list[str]:
    """Return what lies in `folder`, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_everything_is_fetched_from_the_first_mirror(tmp_path: Path) -> None:
    """Four files and the table come whole, and nothing else is left in the folder."""
    mirror = Mirror()
    fetched = download(TINY, tmp_path / "new", looked=[], get=mirror)
    assert fetched.names == tuple(NAMES)
    assert fetched.missing == {}
    assert names(fetched.folder) == NAMES
    assert (tmp_path / "new" / "c.gz").read_bytes() == CONTENT["c.gz"]
    assert mirror.calls == [ONE + name for name in NAMES[:4]] + [f"{TABLES}t.gz"]


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    """Packed or unpacked, a file that lies there is left alone."""
    (tmp_path / "a.gz").write_bytes(b"here")
    (tmp_path / "b").write_bytes(b"here too")
    fetched = download(TINY, tmp_path, looked=[], get=Mirror())
    assert fetched.names == ("c.gz", "d.gz", "t.gz")
    assert (tmp_path / "a.gz").read_bytes() == b"here"


def test_progress_is_told_and_never_above_the_whole(tmp_path: Path) -> None:
    """The callback has the name, the bytes so far and all the bytes."""
    told: list[tuple[str, int, int]] = []
    download(TINY, tmp_path, looked=[], get=Mirror(), progress=lambda *args: told.append(args))
    assert told[:2] == [("a.gz", 200, 400), ("a.gz", 400, 400)]
    assert {name for name, _, _ in told} == set(NAMES)


def test_the_second_mirror_is_asked_when_the_first_fails(tmp_path: Path) -> None:
    """One mirror that is down costs nothing but time."""
    mirror = Mirror(one=UnreachableError("404"))
    assert download(TINY, tmp_path, looked=[], get=mirror).names == tuple(NAMES)
    assert mirror.calls[:2] == [f"{ONE}a.gz", f"{TWO}a.gz"]


def test_without_a_network_all_places_are_named(tmp_path: Path) -> None:
    """The message has every place and every mirror, and what to do."""
    none = UnreachableError("no connection")
    with pytest.raises(MissingDataError) as caught:
        download(
            TINY,
            tmp_path,
            looked=["$DIGITLENS_DATA is not set", "the cache, /c: no such folder"],
            get=Mirror(one=none, two=none),
        )
    assert str(caught.value) == (
        "Tiny MNIST is not on this machine, and a.gz could not be fetched\n"
        "  seen    $DIGITLENS_DATA is not set\n"
        "          the cache, /c: no such folder\n"
        "          https://one.invalid/: no connection\n"
        "          https://two.invalid/: no connection\n"
        "  likely  there is no network\n"
        "  try     set DIGITLENS_DATA to a folder that holds Tiny MNIST's files,\n"
        "          or use --data uci, which comes with digitlens"
    )
    assert names(tmp_path) == []


def test_a_mirror_that_answers_is_no_missing_network(tmp_path: Path) -> None:
    """An answer such as 404 is shown, and the network is not blamed."""
    mirror = Mirror(
        one=UnreachableError("404 Not Found"), two=UnreachableError("no connection")
    )
    with pytest.raises(MissingDataError, match="404 Not Found") as caught:
        download(TINY, tmp_path, looked=[], get=mirror)
    assert caught.value.likely is None


def test_another_file_is_kept_aside_and_the_next_mirror_asked(tmp_path: Path) -> None:
    """A log-in page that answers for a mirror does not end up under the file's name."""
    download(TINY, tmp_path, looked=[], get=Mirror(one=b"<html>"))
    assert (tmp_path / "a.gz").read_bytes() == CONTENT["a.gz"]
    assert (tmp_path / "a.gz.mismatch").read_bytes() == b"<html>"


def test_nothing_but_other_files_is_a_mismatch(tmp_path: Path) -> None:
    """The error has the address, the place of the file, both hashes and what it is."""
    with pytest.raises(HashMismatchError) as caught:
        download(TINY, tmp_path, looked=[], get=Mirror(one=b"<html>", two=b"<html>!"))
    assert str(caught.value) == (
        f"https://two.invalid/a.gz is not the file that was published; it was kept as "
        f"{tmp_path / 'a.gz.mismatch-2'}\n"
        f"  seen    SHA-256 {hashlib.sha256(b'<html>!').hexdigest()}, 7 bytes\n"
        f"          wanted  {A.sha256}\n"
        "  likely  a web page, as a failed download leaves it\n"
        "  try     try again later, or on another network"
    )
    assert names(tmp_path) == ["a.gz.mismatch", "a.gz.mismatch-2"]


def test_tables_that_cannot_be_had_are_no_error(tmp_path: Path) -> None:
    """Without its table a collection can still be used; the reason is given."""
    fetched = download(TINY, tmp_path, looked=[], get=Mirror(tables=UnreachableError("404")))
    assert fetched.names == ("a.gz", "b.gz", "c.gz", "d.gz")
    assert list(fetched.missing) == ["t.gz"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """What had come of the file is removed."""
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StorageError, match="the disk is full"):
        download(TINY, tmp_path, looked=[], get=Mirror(one=full))
    assert names(tmp_path) == []


def test_a_cache_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file in the place of the folder is a storage error."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        download(TINY, tmp_path / "file" / "mnist", looked=[], get=Mirror())


def test_a_break_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a download removes the part that had come."""

    def stop(address: str, path: Path, tell: Callable[[int], None]) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(TINY, tmp_path, looked=[], get=stop)
    assert names(tmp_path) == []


class Answer(io.BytesIO):
    """What an address answers: a body, and how much of it does not come."""

    length = 0


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (URLError(ConnectionRefusedError()), "no connection"),
        (ConnectionResetError(), "no connection"),
        (http.client.IncompleteRead(b""), "no connection"),
        (ssl.SSLEOFError(), "no connection"),
        (TimeoutError(), "no answer in time"),
        (URLError(TimeoutError()), "no answer in time"),
        (URLError(ssl.SSLCertVerificationError()), "certificate is not trusted: self-signed"),
        (HTTPError("https://one.invalid", 404, "Not Found", Message(), None), "404 Not Found"),
    ],
)
def test_every_failure_of_the_network_is_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, words: str
) -> None:
    """Whatever fails on the way is one error, with a few words."""
    reason = getattr(failure, "reason", None)
    if isinstance(reason, ssl.SSLCertVerificationError):
        reason.verify_message = "self-signed"

    def refuse(*_arguments: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(UnreachableError, match=words):
        module.copy_address("https://one.invalid/a.gz", tmp_path / "x", [].append)


def test_an_address_is_copied_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer's bytes are written, and the callback counts up to all of them."""
    content = b"x" * 100_000
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer(content))
    told: list[int] = []
    module.copy_address("https://one.invalid/a.gz", tmp_path / "x", told.append)
    assert (tmp_path / "x").read_bytes() == content
    assert told == [1 << 16, 100_000]


def test_an_answer_that_is_cut_off_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer bytes than were announced mean that the next mirror is asked."""
    answer = Answer(b"half")
    answer.length = 4
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: answer)
    with pytest.raises(UnreachableError, match="no connection"):
        module.copy_address("https://one.invalid/a.gz", tmp_path / "x", [].append)


def test_a_disk_that_is_full_is_not_the_mirrors_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written is an OSError, which `storage` explains."""
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer(b"x"))
    with pytest.raises(OSError, match="No such file"):
        module.copy_address("https://one.invalid/a.gz", tmp_path / "gone" / "x", [].append)


@pytest.mark.parametrize("has_list", [False, True])
def test_a_python_without_certificates_takes_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_list: bool
) -> None:
    """Python for macOS brings no list of its own: it is given the system's, if there is one."""
    loaded: list[Path] = []

    class Context:
        def cert_store_stats(self) -> dict[str, int]:
            return {"x509_ca": 0}

        def load_verify_locations(self, path: Path) -> None:
            loaded.append(path)

    monkeypatch.setattr("ssl.create_default_context", Context)
    monkeypatch.setattr(module, "SYSTEM_LIST", tmp_path / "cert.pem")
    if has_list:
        (tmp_path / "cert.pem").touch()
    module._trusted()
    assert loaded == [tmp_path / "cert.pem"] * has_list


def test_fetch_checks_what_the_cache_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged file in the cache is found although nothing has to be downloaded."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / name)
    folder = tmp_path / "digitlens" / "mnist"
    folder.mkdir(parents=True)
    from digitlens.data.catalog import MNIST

    for file in (*MNIST.files, *MNIST.tables):
        (folder / file.name).write_bytes(b"damaged")
    with pytest.raises(HashMismatchError, match="it was moved to"):
        fetch("mnist")


def test_fetch_knows_what_comes_along() -> None:
    """The embedded digits need no download; other names are usage errors."""
    assert fetch("uci").names == ()
    with pytest.raises(UsageError, match="did you mean fashion"):
        fetch("fashon")
