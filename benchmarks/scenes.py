"""Numbers read on pictures as people take them: sheets on desks, white pages, turned.

    make bench-scenes

The pictures of DIGITLENS_REAL that show nothing but numbers (photos, forms, cut-out codes,
printed numbers, every eighteenth cheque amount), and its drawn single digits, are laid on desks
and pages, turned, and made worse as cameras do (`camera`): how often all lines of a picture are
right, and how many lines are sure (confidence 0.9) and wrong. ``--half even`` or ``odd`` takes
every other picture, to tune on one half and judge on the other. Then sample mail with dark
borders and any way up; upright pictures that were turned by mistake; and scenes that `grounds`
composes, with a sheet of the worst (``--worst FILE.png``). Figures on real pictures are
development figures.

Prints Markdown; with ``--write`` also to benchmarks/results/scenes.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

import camera
from digitlens import load_digits, load_model
from digitlens.errors import DigitlensError
from digitlens.imaging import frame_digit
from digitlens.imaging.io import load_image
from digitlens.mail.candidates import read_mail
from digitlens.mail.directory import load_directory
from digitlens.mail.sample.batch import draw_mail
from digitlens.models.registry import DEFAULT_NETWORK
from digitlens.ocr import Reader
from digitlens.synth import prepare_glyphs
from grounds import GROUNDS, WHITE_PAGE, compose_scene, place
from peer import keep, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from digitlens import Model
    from grounds import Scene

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Change: TypeAlias = "Callable[[Pixels, np.random.Generator], Pixels]"

SURE = 0.9
CHEQUE_STEP = 18
"""Of the cheque amounts every so many-th."""

WORST_SIDE, WORST_COLUMNS, WORST_COUNT = 220, 10, 100
"""Pixels of a picture on the sheet of the worst scenes, how many side by side, and in all."""


@dataclass
class Count:
    """What one row of a table counts."""

    pictures: int = 0
    right: int = 0
    sure_wrong: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, name: str, truth: Iterable[str], lines: Iterable[tuple[str, float]]) -> bool:
        """Count one picture; lines are (text, confidence)."""
        texts, rest = sorted(text for text, _ in lines), list(truth)
        is_right = texts == sorted(rest)
        for text, confidence in sorted(lines, key=lambda line: -line[1]):
            if text in rest:
                rest.remove(text)
            elif confidence >= SURE:
                self.sure_wrong += 1
        self.pictures += 1
        self.right += is_right
        if not is_right:
            self.missed.append(f"{name} {list(lines)}")
        return is_right


def desk(margin: float, angle: float = 0.0) -> Change:
    """Return what lays a picture on a dark desk of any kind."""

    def change(picture: Pixels, rng: np.random.Generator) -> Pixels:
        kind, level = GROUNDS[rng.integers(len(GROUNDS))], rng.uniform(20, 100)
        return place(picture, rng, kind=kind, margin=margin, level=level, angle=angle)

    return change


def page(margin: float) -> Change:
    """Return what lays a picture on a white page."""
    return lambda picture, rng: place(picture, rng, kind=WHITE_PAGE, margin=margin)


def turned(quarters: int) -> Change:
    """Return what turns a picture by quarters, counter-clockwise."""
    return lambda picture, _: np.ascontiguousarray(np.rot90(picture, quarters))


CHANGES: dict[str, Change] = {
    "as they are": lambda picture, _: picture,
    "dark desk 8 %": desk(0.08),
    "dark desk 15 %": desk(0.15),
    "dark desk 30 %": desk(0.3),
    "white page 8 %": page(0.08),
    "white page 15 %": page(0.15),
    "desk 15 %, 4 degrees": desk(0.15, 4.0),
    "turned by 90": turned(1),
    "turned by 180": turned(2),
    "turned by 270": turned(3),
    **camera.CHANGES,
}


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a truth table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number_pictures(real: Path) -> dict[str, tuple[str, ...]]:
    """Return the pictures that show nothing but numbers, and what stands on each."""
    rows = read_table(real / "truth.csv")
    wanted = ("photo", "drawn", "form", "boxed", "photo of one", "printed number")
    result = {
        row["file"]: tuple(row["truth"].split("|"))
        for row in rows
        if row["kind"].startswith(wanted) or "postal code" in row["kind"]
    }
    for row in read_table(real / "strings_orand" / "truth.csv")[::CHEQUE_STEP]:
        result[f"strings_orand/{row['file']}"] = (row["truth"],)
    return result


def seeded(name: str, change: str) -> np.random.Generator:
    """Return the generator of one picture and change: the same in every run."""
    return np.random.default_rng(zlib.crc32(f"{name} {change}".encode()))


def measure_numbers(reader: Reader, real: Path, half: slice) -> dict[str, Count]:
    """Read every picture of numbers under every change."""
    pictures = dict(list(number_pictures(real).items())[half])
    counts = {name: Count() for name in CHANGES}
    for name, truth in pictures.items():
        pixels = load_image(real / name).pixels
        for change, count in counts.items():
            scene = CHANGES[change](pixels, seeded(name, change))
            lines = [(line.text, line.confidence) for line in reader.page(scene).lines]
            count.add(name, truth, lines)
    return counts


def measure_digits(model: Model, real: Path, half: slice) -> dict[str, Count]:
    """Predict every drawn digit under every change but the turns."""
    rows = read_table(real / "drawn_png" / "labels.csv")[half]
    counts = {name: Count() for name in CHANGES if not name.startswith("turned")}
    for row in rows:
        pixels = load_image(real / "drawn_png" / row["file"]).pixels
        for change, count in counts.items():
            scene = CHANGES[change](pixels, seeded(row["file"], change))
            count.add(row["file"], [row["label"]], _predict(model, scene))
    return counts


def _predict(model: Model, scene: Pixels) -> list[tuple[str, float]]:
    try:
        answer = model.predict(frame_digit(scene)[None])
    except DigitlensError:
        return []
    label = int(answer.labels[0])
    return [(str(label), float(answer.probabilities[0, label]))]


def measure_mail(reader: Reader, count: int, half: slice) -> dict[str, Count]:
    """Read sample envelopes with dark borders and any way up."""
    pieces = list(draw_mail(count, load_directory(), digits=load_digits("mnist").test))[half]
    borders = {f"border {share:.0%}": share for share in (0.0, 0.05, 0.12, 0.25)}
    counts = {name: Count() for name in (*borders, "turned by 90", "turned by 180")}
    for index, piece in enumerate(pieces):
        for name, count_ in counts.items():
            if name in borders:
                edge = round(borders[name] * max(piece.picture.shape))
                border = cv2.BORDER_CONSTANT
                sides = edge, edge, edge, edge
                scene = cv2.copyMakeBorder(piece.picture, *sides, border, value=(15, 15, 15))
            else:
                edge = round(0.12 * max(piece.picture.shape)) * (index % 2)
                scene = cv2.copyMakeBorder(
                    piece.picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(15,) * 3
                )
                scene = np.ascontiguousarray(np.rot90(scene, int(name[10:]) // 90))
            best = read_mail(reader, np.asarray(scene, np.uint8))[:1]
            lines = [(item.line.text[:5], item.share) for item in best]
            count_.add(f"piece {index + 1}", [piece.to.place.zip], lines)
    return counts


def count_turned(reader: Reader, real: Path) -> list[str]:
    """Return which upright pictures were turned by a quarter or more, all in all."""
    names = [row["file"] for row in read_table(real / "truth.csv")]
    rows = read_table(real / "strings_orand" / "truth.csv")
    names += [f"strings_orand/{row['file']}" for row in rows]
    turns = {name: reader.page(real / name).turn for name in names}
    return [name for name, turn in turns.items() if 45 <= turn % 360 <= 315]


def measure_scenes(reader: Reader, scenes: int, first: int, worst: Path | None) -> Count:
    """Read composed scenes; the worst are drawn, those with most sure and wrong lines first."""
    glyphs = prepare_glyphs(load_digits("mnist").test)
    count, bad = Count(), []
    for seed in range(first, first + scenes):
        scene = compose_scene(glyphs, seed)
        lines = [(line.text, line.confidence) for line in reader.page(scene.image).lines]
        before = count.sure_wrong
        if not count.add(f"scene {seed}, {scene.about}", scene.numbers, lines):
            hits = sum(text in scene.numbers for text, _ in lines)
            bad.append((before - count.sure_wrong, hits - len(scene.numbers), scene, lines))
    if worst:
        bad.sort(key=lambda item: item[:2])
        tiles = [_tile(scene, lines) for *_, scene, lines in bad[:WORST_COUNT]]
        tiles += [np.full_like(_tile(*bad[0][2:]), 255)] * (-len(tiles) % WORST_COLUMNS)
        rows = [
            np.hstack(tiles[i : i + WORST_COLUMNS]) for i in range(0, len(tiles), WORST_COLUMNS)
        ]
        cv2.imwrite(str(worst), np.vstack(rows)[..., ::-1])
    return count


def _tile(scene: Scene, lines: list[tuple[str, float]]) -> Pixels:
    tile = np.full((WORST_SIDE + 44, WORST_SIDE + 6, 3), 255, np.uint8)
    scale = WORST_SIDE / max(scene.image.shape)
    small = cv2.resize(scene.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile[: small.shape[0], : small.shape[1]] = small
    read = " ".join(f"{text}@{confidence:.0%}" for text, confidence in lines) or "nothing"
    for index, words in enumerate((" ".join(scene.numbers), read, scene.about)):
        spot = 2, WORST_SIDE + 12 + 13 * index
        cv2.putText(tile, words[:40], spot, cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 0, 0))
    return tile


def table(title: str, counts: dict[str, Count]) -> str:
    """Return counts as Markdown."""
    rows = [
        f"| {title} | pictures | all lines right | lines sure and wrong |",
        "|---" * 4 + "|",
    ]
    rows += [
        f"| {name} | {count.pictures} | {count.right} | {count.sure_wrong} |"
        for name, count in counts.items()
    ]
    return "\n".join(rows) + "\n"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("even", "odd"))
    parser.add_argument("--scenes", type=int, default=100, help="5000 takes an hour")
    parser.add_argument("--first", type=int, default=0, help="the first scene's seed")
    parser.add_argument("--mail", type=int, default=24)
    parser.add_argument("--only", choices=("numbers", "digits", "mail", "turned", "scenes"))
    parser.add_argument("--worst", type=Path, help="a sheet of the worst scenes")
    parser.add_argument("--verbose", action="store_true", help="name what was missed")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    real = os.environ.get("DIGITLENS_REAL")
    if real is None and options.only != "scenes":
        sys.exit("set DIGITLENS_REAL to the folder with real pictures, or --only scenes")
    folder = Path(real or ".")
    half = slice({"even": 0, "odd": 1, None: 0}[options.half], None, 2 if options.half else 1)
    reader, began = Reader(), time.perf_counter()

    def wanted(part: str) -> bool:
        return options.only in (None, part)

    tables: dict[str, dict[str, Count]] = {}
    if wanted("numbers"):
        tables["pictures of numbers"] = measure_numbers(reader, folder, half)
    if wanted("digits"):
        for name in (DEFAULT_NETWORK, "best"):
            counts = measure_digits(load_model(name), folder, half)
            tables[f"single digits, `{name}`"] = counts
    if wanted("mail"):
        tables["sample mail"] = measure_mail(reader, options.mail, half)
    if wanted("scenes"):
        count = measure_scenes(reader, options.scenes, options.first, options.worst)
        tables["composed scenes"] = {f"from seed {options.first}": count}
    text = "\n".join(table(title, counts) for title, counts in tables.items())
    if wanted("turned"):
        mistaken = count_turned(reader, folder)
        total = len(read_table(folder / "truth.csv"))
        total += len(read_table(folder / "strings_orand" / "truth.csv"))
        names = ", ".join(mistaken)
        text += f"\nUpright pictures turned by mistake: {len(mistaken)} of {total}. {names}\n"
    if options.verbose:
        for counts in tables.values():
            for name, count in counts.items():
                print(name, *count.missed, sep="\n  ", file=sys.stderr)
    seconds = time.perf_counter() - began
    text += f"\nSure: confidence {SURE} or more. {machine()}; {seconds:.0f} s.\n"
    keep("scenes", text, write=options.write)


if __name__ == "__main__":
    main()
