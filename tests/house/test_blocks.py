"""Every command and block of code in the documents runs, or it is said here why not.

Whether a command and its options exist is asked of each, in prose too. That they run is
tested by ``make test-slow``: page by page, in a folder that has what the pages speak of, with
UCI's digits in the place of MNIST's. Lessons are run by tests/course; docs/cli.md is generated.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.cli.app import root, run
from digitlens.models import load_recipe
from digitlens.models.inference import load_model
from digitlens.models.recipe import write_recipe

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference"),
]
FENCE = re.compile(r"^[ ]*```([^\n]*)\n(.*?)^[ ]*```$", re.M | re.S)
SHELL = ("", "console")
KINDS = {*SHELL, "python", "toml", "text", "{toctree}", "{code-cell} python"}
# The first words of commands that no test of documents runs, and why.
NOT_RUN = {
    "pip install": "network",
    "make": "minutes; the target exists",
    "python tools/": "minutes; the file exists",
    ".venv/bin/python tools/": "minutes; the file exists",
    "python -m http.server": "server",
    "curl": "server",
    "for I in": "runs in the background, four times",
    "sbatch": "a cluster",
    "export DIGITLENS_TOKEN": "a variable of the shell",
    "DIGITLENS_DATA=": "minutes: a whole training",
    "DIGITLENS_REAL=": "pictures that are not everywhere",
    "digitlens demo": "minutes: tests/cli/test_demo.py",
    "digitlens serve": "server: tests/cli/test_serve.py",
    "digitlens batch read s3://": "network",
    "digitlens route scanner-1": "a database: tests/mail/test_store.py",
    "digitlens train reader": "minutes: tests/training/test_line_tuning.py",
    "digitlens tune": "digits with writers, which UCI's are not: tests/cli/test_tune.py",
}
# Run for less long than the documents have it, or on digits that are at hand.
SHORTER = {
    "corrections/digits": "FOLDER",
    "digitlens mail sample 200": "digitlens mail sample 2",
    "digitlens train": "digitlens train --epochs 1",
}


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is said to be, its text, and the line on which it begins."""

    kind: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(match[1].strip(), match[2], text.count("\n", 0, match.start()) + 1)
        for match in FENCE.finditer(text)
    ]


def command_lines(block: Block) -> Iterator[str]:
    """Yield the lines of a shell block that are commands."""
    for row in block.text.splitlines():
        line = row.removeprefix("$ ").strip()
        if line and not line.startswith("#"):
            yield line


def split(line: str) -> list[str]:
    """Return the words of a command line, its comment left out."""
    return shlex.split(line, comments=True)


def inline_commands(page: Path) -> Iterator[str]:
    """Yield what a page's prose names as a command: `digitlens ...` between backticks."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for span in re.findall(r"`(digitlens [^`]+)`", " ".join(prose.split())):
        yield span.removesuffix(" ...")


def parse(words: list[str]) -> Any:
    """Return the command that these words (the first is ``digitlens``) call, its options read.

    Raises what typer raises: an unknown command or option, a value of the wrong kind, an
    argument that is missing.
    """
    command, rest = root(), words[1:]
    while rest and (below := getattr(command, "commands", {}).get(rest[0])):
        command, rest = below, rest[1:]
    # A number that the text leaves open.
    rest = ["1" if word in ("N", "S") else word for word in rest]
    if hasattr(command, "commands"):
        known = {name for item in command.params for name in item.opts} | {"-h", "--help"}
        if unknown := set(rest) - known:
            raise LookupError(f"{' '.join(words)}: {unknown}")
        return command
    command.make_context(" ".join(words[:2]), rest)
    return command


RUN = [
    page
    for page in PAGES
    if page.name != "cli.md" and any(block.kind in (*SHELL, "python") for block in blocks(page))
]


def why_not(line: str) -> str | None:
    """Return why a command line is not run, or None where it is."""
    return next((why for first, why in NOT_RUN.items() if line.startswith(first)), None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_exists(page: Path) -> None:
    """What a page has people type is parsed by digitlens, and files and targets are there."""
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for block in blocks(page):
        assert block.kind in KINDS, f"{page.name}:{block.line}: what is {block.kind!r}?"
        if block.kind == "python":
            compile(block.text, page.name, "exec")
        if block.kind == "toml":
            tomllib.loads(block.text)
        if block.kind not in SHELL or page.name == "cli.md":
            continue
        for line in command_lines(block):
            words = split(line)
            if words[0] == "digitlens" and "$(" not in line:
                parse(words)
            elif words[0] == "make":
                assert words[1] in targets, line
            else:
                assert why_not(line), f"{page.name}: nothing runs {line!r}"
            assert [name for name in re.findall(r"(?:tools|benchmarks)/\w+\.py", line)
                    if not (ROOT / name).exists()] == []  # fmt: skip
    for span in inline_commands(page):
        try:
            parse(split(span))
        except Exception as error:
            # Prose may name a command without what it works on.
            if type(error).__name__ != "MissingParameter":
                raise AssertionError(f"{page.name}: `{span}`: {error}") from error


def test_what_does_not_exist_is_refused() -> None:
    """The check above knows a wrong command, option and value."""
    for line in ("digitlens trian x", "digitlens train x --nosuch", "digitlens mail nosuch"):
        with pytest.raises(Exception, match=r"nosuch|trian"):
            parse(split(line))
    with pytest.raises(Exception, match="not a valid int"):
        parse(split("digitlens train x --epochs few"))


def test_every_reason_is_needed() -> None:
    """No reason for not running stands for a command that is nowhere in the documents."""
    lines = [
        line
        for page in RUN
        for block in blocks(page)
        if block.kind in SHELL
        for line in command_lines(block)
    ]
    assert [
        first for first in NOT_RUN if not any(line.startswith(first) for line in lines)
    ] == []


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with pictures, pages, folders and a trained network of all names."""
    import digitlens as dl

    folder = tmp_path_factory.mktemp("desk")
    digits = dl.load_digits("uci").test
    big = [255 - np.kron(image, np.ones((3, 3), np.uint8)) for image in digits.images[:50]]
    one = Image.fromarray(np.pad(big[7], 40, constant_values=255))
    page = np.full((700, 1100), 255, np.uint8)
    page[430:514, 450:870] = np.hstack(big[:5])  # within the field of docs/reading.md
    page = Image.fromarray(page)
    for name in [
        "photo.jpg",
        "scan.png",
        "digit.png",
        "7.png",
        "drawings/a.png",
        "scans/a.png",
    ]:
        save(one, folder / name)
    save(Image.new("L", (900, 600), 255), folder / "mail/blank.png")  # a person must look
    table = np.full((9 * 90 + 4, 9 * 90 + 4), 255, np.uint8)
    for index, digit in enumerate(big[:33:3]):
        row, column = divmod(7 * index, 9)
        table[90 * row + 5 : 90 * row + 89, 90 * column + 5 : 90 * column + 89] = digit
    for line in range(0, len(table), 90):
        table[line : line + 4] = table[:, line : line + 4] = 0
    save(Image.fromarray(np.pad(table, 60, constant_values=255)), folder / "sudoku.jpg")
    pages = "envelope.jpg page.jpg page.png letter.png form.png scan.pdf"
    for name in (*pages.split(), "scans/b/c.pdf", "forms/a.png", "more/a.pdf"):
        save(page, folder / name)
    save(page.crop((430, 410, 890, 534)), folder / "cheque.png")
    for index, label in enumerate(digits.labels[:50]):
        save(Image.fromarray(digits.images[index]), folder / f"FOLDER/{label}/{index}.png")
    with tarfile.open(folder / "cards.tar", "w") as archive:
        archive.add(folder / "photo.jpg", "card.jpg")
    dl.train("dense", "uci", epochs=1, limit=100, out=folder / "runs/train/dense-1")
    tuned = folder / "runs/tune/dense/recipe.toml"  # what digitlens tune leaves
    tuned.parent.mkdir(parents=True)
    write_recipe(tuned, load_recipe("dense"), tuned={"trials": 20})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in (
            "mail sample 1 --digits drawn --out letters",
            "mail plan --by state --out letters.toml",
            "route letters --plan letters.toml --out trays",
        ):
            assert run(line.split()) == 0
    return folder


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture into a folder that may have to be made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


@pytest.fixture
def here(desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in a copy of the desk: MNIST and "world" are UCI's digits, the hub has tiny."""
    from digitlens.data import load

    def read(source: Any) -> Any:
        return plain("uci" if source in ("mnist", "world") else source)

    plain = load.read_source
    published = str(load_model("tiny").path)
    hub = SimpleNamespace(hf_hub_download=lambda repository, file: published)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setattr(load, "read_source", read)
    shutil.copytree(desk, tmp_path / "desk")
    monkeypatch.chdir(tmp_path / "desk")
    yield tmp_path


ELSEWHERE = ("import ray", "from pyspark", "import dask", "import daft")
"""Engines that talk over sockets: tests/batch/test_engines.py runs their blocks instead."""


@pytest.mark.slow
@pytest.mark.filterwarnings("default::digitlens.errors.DigitlensWarning")
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of Keras on torch
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_does_what_it_says(page: Path, here: Path) -> None:
    """The blocks of a page are run from top to bottom; Python's share their names."""
    if page.parent.name == "course":
        pytest.skip("tests/course runs the lessons")
    names = given()
    for block in blocks(page):
        if block.kind == "python" and not any(name in block.text for name in ELSEWHERE):
            exec(compile(block.text, f"{page.name}:{block.line}", "exec"), names)
        elif block.kind in SHELL:
            run_lines(page, block)


def run_lines(page: Path, block: Block) -> None:
    """Run the commands of a block; each must end well."""
    for line in command_lines(block):
        if why_not(line):
            continue
        shorter = line
        for long, short in SHORTER.items():
            shorter = shorter.replace(long, short, 1)
        ended = run(split(shorter)[1:])
        assert ended in (0, 3), f"{page.name}: {line!r} ended with {ended}"


def given() -> dict[str, Any]:
    """Return the names that the Python of the pages begins with."""
    from torch import nn

    import digitlens as dl
    from digitlens.mail.directory import load_directory
    from digitlens.mail.plan_files import read_plan

    data = dl.load_digits("uci", limit=100)
    run = dl.load_model("tiny")
    x, y = data.test.images, data.test.labels
    with Image.open("7.png") as picture:
        picture.load()
    directory = load_directory()
    plan = read_plan(Path("letters.toml"))
    line = dl.read("envelope.jpg").lines[0]
    return {
        **locals(),
        "nn": nn,
        "dl": dl,
        "np": np,
        "Path": Path,
        "pixels": x[0],
        "__name__": "__main__",
    }
