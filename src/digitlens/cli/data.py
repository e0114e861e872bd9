"""digitlens data: look at digits before training on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlens.cli.command import Command, Group
from digitlens.cli.console import (
    SOME_REJECTED,
    ForceOption,
    JsonOption,
    SourceArgument,
    announce,
    announce_rejected,
    check_choice,
    check_positive,
    columns,
    echo,
    echo_either,
    flag,
    has_color,
    option,
)
from digitlens.errors import DataError, UsageError, printable
from digitlens.models.registry import DEFAULT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.data import DataSplits
    from digitlens.digits import Digits


app = typer.Typer(
    cls=Group,
    help="Look at a collection of digits, or fetch it.",
    rich_markup_mode=None,
    no_args_is_help=False,
)

# What may be looked at; the test digits are for `digitlens evaluate` alone.
PARTS = ("train", "validation")


@app.command(cls=Command)
def show(
    source: SourceArgument,
    count: Annotated[int, option("N", "How many digits.")] = 100,
    part: Annotated[str, option("PART", "train or validation.")] = "train",
    index: Annotated[
        int | None, option("I", "Print the digit at this index, as text and numbers.")
    ] = None,
    out: Annotated[
        Path | None,
        option("FILE", "Where the grid goes; else digits.png. With --index, that digit."),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Lay digits out in a grid as a PNG, or print one with its numbers."""
    from digitlens.storage import check_free

    # Everything that can be refused is refused before the digits are loaded.
    _check_part(part)
    check_positive("--count", count)
    if index is None:
        out = out or Path("digits.png")
    if out is not None and not force:
        check_free(out)
    from digitlens.data import load_digits
    from digitlens.data.features import grid_png
    from digitlens.storage import write_bytes

    digits = load_digits(source).part(part)
    if index is not None:
        echo(describe_digit(digits, index, printable(f"{source} {part}")), styled=True)
        if out is not None:
            write_bytes(out, grid_png(digits.images[index : index + 1], zoom=10))
            announce(f"written: {out}")
        return
    assert out is not None, "a grid has a name"
    if not len(digits):
        raise DataError(f"{source} has no {part} digits")
    shown = digits[:count]
    write_bytes(out, grid_png(shown.images, zoom=2))
    echo(str(out))
    announce(f"{len(shown)} of {len(digits):,} digits; their labels, row by row:")
    for first in range(0, len(shown), 10):
        announce(" ".join(map(str, shown.labels[first : first + 10])))


@app.command(cls=Command)
def lines(
    source: SourceArgument,
    count: Annotated[int, option("N", "How many lines.")] = 60,
    part: Annotated[str, option("PART", "train or validation.")] = "train",
    style: Annotated[
        str, option("STYLE", "training, clean, ruled, cheque, photo ...")
    ] = "training",
    seed: Annotated[int, option("N", "Decides which lines.")] = 0,
    boxes: Annotated[bool, flag("--boxes", "Draw each digit's box.")] = False,
    out: Annotated[Path, option("FILE", "Where the sheet goes.")] = Path("lines.png"),
    force: ForceOption = False,
) -> None:
    """Write numbers with the digits, as they are on paper, on a sheet."""
    _check_part(part)
    check_positive("--count", count)
    from digitlens.data import load_digits
    from digitlens.storage import check_free, write_bytes
    from digitlens.synth import named_style, sheet_png, synthesize_lines

    if not force:
        check_free(out)
    chosen = named_style(style)
    digits = load_digits(source).part(part)
    written = list(synthesize_lines(digits, count, seed=seed, style=chosen))
    write_bytes(out, sheet_png(written, boxes=boxes))
    echo(str(out))
    numbers = sum(line.text != "" for line in written)
    announce(f"{numbers} numbers and {count - numbers} pictures without one, style {style}")


def _check_part(part: str) -> None:
    if part == "test":
        raise UsageError(
            "the test digits are not shown: figures on digits that were looked at mean little",
            try_="digitlens evaluate MODEL    shows those that a model gets wrong",
        )
    check_choice("--part", part, PARTS)


def describe_digit(digits: Digits, index: int, name: str) -> str:
    """Return the digit at `index` in words, as a picture of characters and as numbers."""
    import sys

    from digitlens.data.features import as_text

    if not 0 <= index < len(digits):
        raise UsageError(
            f"--index must be in 0..{len(digits) - 1}, for {name}", seen=f"--index {index}"
        )
    image, label = digits.images[index], int(digits.labels[index])
    title = f"digit {index} of {name}, label {label}"
    if digits.writers is not None:
        title += f", by writer {int(digits.writers[index])}"
    picture = as_text(image, color=has_color(sys.stdout))
    return f"{title}\n\n{picture}\n\n{as_text(image, numbers=True)}"


@app.command(cls=Command)
def info(
    source: SourceArgument,
    as_json: JsonOption = False,
) -> None:
    """Count the digits of each class, and name the files read."""
    from digitlens.data import load_digits

    data = load_digits(source)
    echo_either(as_json, lambda: as_dict(data), lambda: as_table(data))


def as_dict(data: DataSplits) -> dict[str, Any]:
    """Return what is known of `data`, as ``--json`` prints it."""
    parts = {"train": data.train, "validation": data.validation}
    return {
        "source": data.source,
        "split": data.split,
        "parts": {name: _describe_part(part) for name, part in parts.items()}
        | {"test": {"digits": len(data.test)}},
        "sha256": data.hashes,
    }


def _describe_part(part: Digits) -> dict[str, Any]:
    return {"digits": len(part), "classes": part.counts.tolist(), **_describe_arrays(part)}


def _describe_arrays(part: Digits) -> dict[str, Any]:
    """Return the shape, the type and the lowest and highest value of the images."""
    images = part.images
    ends = [int(images.min()), int(images.max())] if len(part) else None
    return {"shape": list(images.shape), "dtype": str(images.dtype), "range": ends}


def as_table(data: DataSplits) -> str:
    """Return what is known of `data`, for a person."""
    from digitlens.metrics.formatting import hang

    title = hang("", f"{data.source}: {data.split}", columns())
    lines = [title, "", "digit        train  validation"]
    both = enumerate(zip(data.train.counts, data.validation.counts, strict=True))
    lines += [
        f"{digit:5}  {train:11,}  {validation:10,}" for digit, (train, validation) in both
    ]
    lines += [
        f"  all  {len(data.train):11,}  {len(data.validation):10,}",
        "",
        f"{len(data.test):,} test digits wait for digitlens evaluate; nothing else opens them",
    ]
    about = _describe_arrays(data.train)
    shape, ends = ", ".join(map(str, about["shape"])), about["range"]
    lines += [
        "",
        f"train.images: {about['dtype']} ({shape}), {ends[0]} to {ends[1]}: 0 is paper",
    ]
    lines += [f"train.labels: {data.train.labels.dtype} ({len(data.train)},), 0 to 9"]
    if data.hashes:
        width = max(map(len, data.hashes))
        lines += ["", "SHA-256 of the files"]
        lines += [f"  {name:{width}}  {digest}" for name, digest in data.hashes.items()]
    return "\n".join(lines)


@app.command(cls=Command)
def check(
    source: SourceArgument,
    model: Annotated[str, option("MODEL", "Who looks; it has not learnt from them.")] = (
        DEFAULT_NETWORK
    ),
    out: Annotated[Path, option("FILE", "Where the page goes.")] = Path("labels.html"),
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find labels that are likely wrong, and pictures that are turned.

    A network looks at every digit that is labelled, and what it makes of them is compared with
    the labels (confident learning, as cleanlab does it). Found too: light and dark the other
    way round, turned and mirrored pictures, the same picture twice, and pictures of no digit.
    The page shows them; nothing is changed."""
    from digitlens.data.load import read_source
    from digitlens.metrics.label_check import check_labels
    from digitlens.models.inference import load_model
    from digitlens.storage import check_free, write_text
    from digitlens.viz.label_page import render_check

    if not force:
        check_free(out)
    raw = read_source(source)
    result = check_labels(load_model(model), raw.train)
    write_text(out, render_check(result, raw.train, raw.names, raw.rejected))
    echo_either(
        as_json,
        lambda: {"source": source, "page": str(out), **result.as_dict(raw.names)},
        lambda: result.summary(source),
    )
    announce(f"the page with their pictures: {out}")
    for error in raw.rejected:
        announce_rejected(source, error)
    if raw.rejected:
        raise typer.Exit(SOME_REJECTED)


@app.command(cls=Command)
def fetch(source: SourceArgument) -> None:
    """Download a collection, each file checked against its hash."""
    from digitlens.data.catalog import find_collection
    from digitlens.data.load import PUBLISHED_NAMES
    from digitlens.data.load import fetch as fetch_source

    # What was put on this machine by hand is not downloaded a second time.
    if source in PUBLISHED_NAMES:
        result = find_collection(PUBLISHED_NAMES[source])
        if result is not None and result[0].is_own:
            announce(f"{source} is here already, in {result[0].what}")
            echo(str(result[1]))
            return
    fetched = fetch_source(source, progress=_download_progress())
    for name in fetched.names:
        announce(f"fetched {name}")
    for name, reason in fetched.missing.items():
        announce(f"without {name}: {reason}")
    if not fetched.names:
        announce(f"{source} is here already")
    echo(str(fetched.folder))


def _download_progress() -> Callable[[str, int, int], None]:
    """Return what shows a download on a terminal: a line drawn again, and kept at the end."""
    from digitlens.cli.progress import Progress

    progress = Progress()

    def show(name: str, done: int, size: int) -> None:
        if progress.live:
            text = f"{name}   {100 * done / max(1, size):3.0f} % of {size / 1e6:.1f} MB"
            (progress.draw if done < size else progress.line)(text)

    return show
