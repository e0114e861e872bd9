"""`Rows`: a picture -> the rows that are kept of it, here or in any engine's process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.batch.items import Item, open_item, read_item
from digitlens.ctc.probs import check_lengths
from digitlens.errors import UsageError
from digitlens.imaging.inputs import InputFile, use_one_core
from digitlens.imaging.normalize import frame_steps
from digitlens.models.inference import load_model
from digitlens.models.registry import DEFAULT_NETWORK
from digitlens.ocr.batch import PageWorker
from digitlens.ocr.files import parse_document
from digitlens.ocr.network import load_line_recognizer
from digitlens.ocr.output import COLUMNS, flat_rows, page_row
from digitlens.ocr.page import PageResult, PageTask, ReadOptions
from digitlens.ocr.reader import Reader
from digitlens.storage import read_file
from digitlens.workers import attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from digitlens.errors import DigitlensError

    Row = dict[str, Any]


PREDICT, READ = "predict", "read"

# The columns of flat rows, in order, and their types as Arrow calls them.
ERRORS = {"error": "string", "kind": "string"}
PREDICT_COLUMNS = {
    "file": "string",
    "digit": "int8",
    "confidence": "double",
    "likeliest": "int8",
    "unsure": "bool",
    "no_digit": "double",
} | ERRORS
READ_TYPES = {"page": "int32", "confidence": "double", "sure": "bool"}
READ_TYPES |= dict.fromkeys(("left", "top", "right", "bottom"), "double")
READ_COLUMNS = {name: READ_TYPES.get(name, "string") for name in COLUMNS} | ERRORS


@dataclass(frozen=True)
class Rows:
    """What is done with each picture: its digit is predicted, or its numbers are read.

    Called with a picture it returns its rows, as plain values; what cannot be used is a row
    too, with `error` and `kind`. It can be pickled and takes no room: the network is loaded
    by the process that is the first to use it, which from then on works on one core.

    command: ``"predict"`` or ``"read"``
    model: a published network, a run folder or an .onnx file; the usual one when left out
    options: of `read`: lengths, fields, thresholds and so on
    flat: give rows of a table, for `read` one a number; else what ``--jsonl`` prints

    >>> Rows("read", length=5).options.lengths
    frozenset({5})
    """

    command: str
    model: str = ""
    options: ReadOptions = field(default_factory=ReadOptions)
    flat: bool = True

    def __init__(
        self,
        command: str,
        model: str | Path | None = None,
        *,
        length: int | Iterable[int] | None = None,
        options: ReadOptions | None = None,
        flat: bool = True,
    ) -> None:
        if command not in (PREDICT, READ):
            raise UsageError('a batch is to "predict" or to "read"', seen=repr(command))
        options = options or ReadOptions()
        if length is not None:
            lengths = check_lengths([length] if isinstance(length, int) else list(length))
            options = replace(options, lengths=lengths)
        options = replace(options, lengths=options.lengths and frozenset(options.lengths))
        usual = DEFAULT_NETWORK if command == PREDICT else "reader"
        for name, value in (
            ("command", command),
            ("model", str(model or usual)),
            ("options", replace(options, model=str(model or usual))),
            ("flat", flat),
        ):
            object.__setattr__(self, name, value)

    @property
    def columns(self) -> dict[str, str]:
        """The columns of flat rows and their types."""
        return PREDICT_COLUMNS if self.command == PREDICT else READ_COLUMNS

    def __call__(self, picture: Any) -> list[Row]:
        """Return the rows of a picture.

        picture: a path or an address, the bytes of a file, an `Item`, or a mapping with one of
            these as ``bytes``, ``image`` or ``path``, and a name as ``path``, ``file`` or
            ``name``: a row of another engine. Of a document all pages are read.

        Raises ModelError, StorageError: what stands in the way of every picture.
        """
        source, content = _parse_source(picture)
        outcome = attempt(lambda item: _load(self)(item, content), source)
        if outcome.error is not None:
            return self.error_rows(source, outcome.error)
        assert outcome.result is not None, "there are rows or an error"
        return outcome.result

    def load(self) -> None:
        """Load the network, and let this process use one core."""
        _load(self)

    def error_rows(self, item: InputFile, error: DigitlensError) -> list[Row]:
        """Return the row of a picture that could not be used."""
        row: Row = {"file": item.name}
        if self.command == READ:
            page = getattr(item, "page", -1)
            row["page"] = page + 1 if page >= 0 else None
        return [self._fill(row | error.as_dict())]

    def _fill(self, row: Row) -> Row:
        return {name: row.get(name) for name in self.columns} if self.flat else row

    def describe(self) -> Row:
        """Return what decides the rows, as plain values: two that agree give the same."""
        if self.command == PREDICT:
            path, options = load_model(self.model, threads=1).path, {}
        else:
            path = load_line_recognizer(self.model).path
            kept = asdict(self.options)
            options = {key: kept[key] for key in sorted(kept.keys() - {"stages", "annotate"})}
            options["lengths"] = self.options.lengths and sorted(self.options.lengths)
        model = {"model": self.model, "sha256": read_file(path).sha256}
        return {"command": self.command, **model, "options": options, "flat": self.flat}


def _parse_source(picture: Any) -> tuple[InputFile, bytes | None]:
    """Return a picture as an item, with its bytes where these were given."""
    if isinstance(picture, InputFile):
        return picture, None
    name, content = None, picture
    if isinstance(picture, Mapping):
        name = next(
            (picture[key] for key in ("path", "file", "name") if picture.get(key)), None
        )
        content = next((picture[key] for key in ("bytes", "image") if key in picture), name)
        if isinstance(content, Mapping):  # as Hugging Face has pictures
            name, content = name or content.get("path"), content.get("bytes")
    if isinstance(content, bytes | bytearray | memoryview):
        named = str(name or "the picture")
        return Item(Path(named), named, ""), bytes(content)
    if not isinstance(content, str | os.PathLike):
        raise UsageError(
            "a picture must be a path, bytes, or a row with one of them as 'bytes' or 'path'",
            seen=type(content).__name__,
        )
    text = os.fspath(content)
    if "://" in text:
        return Item(Path(), text, "", inside="url"), None
    return Item(Path(text), text, ""), None


@lru_cache(maxsize=2)
def _load(rows: Rows) -> Callable[[InputFile, bytes | None], list[Row]]:
    """Return what makes the rows, once a process: the network is loaded."""
    use_one_core()
    return _Predictor(rows) if rows.command == PREDICT else _PageReader(rows)


class _Predictor:
    def __init__(self, rows: Rows) -> None:
        self._rows, self._model = rows, load_model(rows.model, threads=1)

    def __call__(self, item: InputFile, content: bytes | None) -> list[Row]:
        framing = frame_steps(read_item(item) if content is None else content, name=item.name)
        # Alone: what stands beside a picture changes nothing of its row.
        (answer,) = self._model.predict(framing.digit[None])
        return [self._rows._fill({"file": item.name} | answer.as_dict())]


class _PageReader:
    def __init__(self, rows: Rows) -> None:
        self._rows, self._reader = rows, Reader(rows.model)
        self._worker = PageWorker(rows.options, self._reader, opener=open_item)

    def __call__(self, item: InputFile, content: bytes | None) -> list[Row]:
        worker, page = self._worker, getattr(item, "page", -1)
        if content is not None:
            given = partial(parse_document, content, item.name)
            worker = PageWorker(self._rows.options, self._reader, opener=lambda _: given())
        # The first page says how many there are.
        pages = [worker(PageTask(item, 0, max(page, 0)))]
        if page < 0:
            pages += [worker(PageTask(item, 0, index)) for index in range(1, pages[0].count)]
        if content is not None:
            worker.close()
        return [row for result in pages for row in self._make(result)]

    def _make(self, page: PageResult) -> list[Row]:
        options = self._rows.options
        if not self._rows.flat:
            return [page_row(page, options)]
        return [self._rows._fill(row) for row in flat_rows(page, options)]
