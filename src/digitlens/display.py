"""Results outside digitlens: pictures and tables in a notebook, rows for pandas."""

from __future__ import annotations

from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Shown:
    """What a notebook shows as a picture, and tables take as rows.

    `PICTURE` names the function that draws it, as ``"viz.notebook:draw_digits"``. It is loaded
    when a notebook asks: plots lie above the things that they show, and most are never drawn.
    """

    PICTURE = ""

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table that this is, as plain values."""
        raise NotImplementedError

    def to_pandas(self) -> Any:
        """Return `rows` as a pandas DataFrame; MissingExtraError without pandas."""
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise _missing("pandas") from error
        return pandas.DataFrame(self.rows())

    def to_parquet(self, path: str | Path) -> None:
        """Write `rows` as a Parquet file; MissingExtraError without pyarrow."""
        try:
            import pyarrow
            from pyarrow import parquet
        except ModuleNotFoundError as error:
            raise _missing("pyarrow") from error
        from digitlens.storage import write_bytes

        buffer = pyarrow.BufferOutputStream()
        parquet.write_table(pyarrow.Table.from_pylist(self.rows()), buffer)
        write_bytes(Path(path), buffer.getvalue().to_pybytes())

    def _repr_png_(self) -> bytes | None:
        """Return the picture that a notebook shows; None where there is none to draw."""
        if not self.PICTURE:
            return None
        module, name = self.PICTURE.split(":")
        try:
            picture: bytes | None = getattr(import_module(f"digitlens.{module}"), name)(self)
        except MissingExtraError:  # the line at the prompt must do
            return None
        return picture


def _missing(package: str) -> MissingExtraError:
    return MissingExtraError(
        f"tables for other programs need {package}, which is not installed",
        try_='pip install "digitlens[tables]"',
    )


def table_html(caption: str, rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows of the same keys as a table in HTML, the keys on top.

    >>> table_html("two", [{"n": 1}, {"n": "<"}])
    '<table><caption>two</caption><tr><th>n</th></tr><tr><td>1</td></tr><tr><td>&lt;</td></tr>\
</table>'
    """
    head = "".join(f"<th>{escape(str(key))}</th>" for key in (rows[0] if rows else ()))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row.values()) + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{body}</table>"
