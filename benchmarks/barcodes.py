"""Intelligent Mail barcodes in pictures: how many are read, how many made up, how fast.

    make bench-barcodes

Barcodes of random digits on envelopes with printed lines, at any angle on a darker desk, in
perspective, blurred, under uneven light, with noise, as JPEG files; and with half bars covered.
Development figures: the search was made on such pictures. Pictures without a barcode are the
real ones of the folder that DIGITLENS_REAL names. Prints Markdown; with ``--write`` also to
benchmarks/results/barcodes.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.imaging.io import load_image
from digitlens.mail.barcode_images import render_pixels
from digitlens.mail.barcode_search import find_barcodes
from digitlens.mail.barcodes import IntelligentMail, encode_imb
from peer import keep, machine
from readers.pictures import pages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray = NDArray[np.uint8]

WIDTH, HEIGHT = 9.5, 4.125  # of an envelope, inches
LINES = (
    "Miller & Hill Illumination",
    "1111 Mill Hill Lane",
    "Illinois City IL 61111",
    "Attn: Will",
)
PRINT_DPI = 600


@dataclass(frozen=True)
class Setting:
    """How a picture is taken: blur in hundredths of an inch, noise in gray levels."""

    name: str
    blur: float = 0.0
    noise: float = 2.0
    perspective: float = 0.0
    turned: bool = True
    covered: int = 0


SETTINGS = (
    Setting("scanned, upright", turned=False),
    Setting("turned", 0.25, 4.0),
    Setting("photo", 0.4, 6.0, 0.04),
    Setting("careless photo", 0.6, 10.0, 0.06),
    Setting("photo, one half bar covered", 0.4, 6.0, 0.04, covered=1),
    Setting("photo, three half bars covered", 0.4, 6.0, 0.04, covered=3),
)


def make_content(rng: np.random.Generator) -> IntelligentMail:
    """Return random digits with a ZIP of 5, 9 or 11."""

    def digits(count: int) -> str:
        return "".join(map(str, rng.integers(0, 10, count)))

    return IntelligentMail(
        f"{digits(1)}{rng.integers(0, 5)}{digits(18)}", digits(int(rng.choice([5, 9, 11])))
    )


def print_code(content: IntelligentMail, covered: int, rng: np.random.Generator) -> Gray:
    """Return a barcode as it is printed, some half bars covered by paper."""
    bars = encode_imb(content)
    pixels = render_pixels(bars, dots=PRINT_DPI)
    left, pitch, middle = 0.125 * PRINT_DPI, PRINT_DPI / 22, pixels.shape[0] // 2
    low = round(0.026 * PRINT_DPI)
    for bar in rng.choice([i for i, bar in enumerate(bars) if bar == "F"], covered, False):
        start = round(left + int(bar) * pitch - 0.25 * pitch)
        rows = slice(0, middle - low) if rng.integers(2) else slice(middle + low, None)
        pixels[rows, start : start + round(0.9 * pitch)] = 255
    return pixels


def take(dpi: int, setting: Setting, rng: np.random.Generator) -> tuple[IntelligentMail, Gray]:
    """Return what a barcode says, and a picture of an envelope that bears it."""
    width, height = round(WIDTH * dpi), round(HEIGHT * dpi)
    paper = np.full((height, width), 235, np.uint8)
    for index, text in enumerate(LINES):
        spot = (round(3.6 * dpi), round((1.6 + 0.22 * index) * dpi))
        face, thick = cv2.FONT_HERSHEY_SIMPLEX, max(1, dpi // 100)
        cv2.putText(paper, text, spot, face, dpi / 220, 30, thick, cv2.LINE_AA)
    content = make_content(rng)
    code = print_code(content, setting.covered, rng)
    code = np.asarray(
        cv2.resize(
            code, None, fx=dpi / PRINT_DPI, fy=dpi / PRINT_DPI, interpolation=cv2.INTER_AREA
        )
    )
    top = round(rng.uniform(2.6, HEIGHT - 0.3) * dpi)
    left = round(rng.uniform(0.4, WIDTH - 3.5) * dpi)
    paper[top : top + code.shape[0], left : left + code.shape[1]] = np.minimum(code, 235)
    side = int(np.hypot(width, height)) + 20
    size = (side, side) if setting.turned else (width, height)
    angle = rng.uniform(0, 360) if setting.turned else 0.0
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1), [0, 0, 1]])
    matrix[:2, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    if setting.perspective:
        corners = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
        moved = corners + rng.uniform(-1, 1, (4, 2)) * setting.perspective * side
        matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32)) @ matrix
    image = cv2.warpPerspective(paper, matrix, size, borderValue=90).astype(np.float32)
    if setting.blur:
        image = np.asarray(
            cv2.GaussianBlur(image, (0, 0), setting.blur * dpi / 100), np.float32
        )
        image *= np.linspace(rng.uniform(0.55, 1), rng.uniform(0.55, 1), size[0])
    image += rng.normal(0, setting.noise, image.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))]
    encoded = cv2.imencode(".jpg", np.clip(image, 0, 255).astype(np.uint8), quality)[1]
    return content, np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def measure(dpi: int, setting: Setting, count: int, rng: np.random.Generator) -> str:
    """Return a row of the table."""
    read = wrong = mended = 0
    seconds = []
    for _ in range(count):
        content, image = take(dpi, setting, rng)
        began = time.process_time()
        results = find_barcodes(image)
        seconds.append(time.process_time() - began)
        read += any(item.content == content for item in results)
        wrong += sum(item.content != content for item in results)
        mended += sum(item.mended for item in results)
    millis = 1000 * statistics.median(seconds)
    return (
        f"| {setting.name} | {dpi} | {read} of {count} | {wrong} | {mended} | {millis:.0f} ms |"
    )


def measure_real(real: Path) -> str:
    """Search pictures that have no barcode of this kind."""
    seconds, made_up = [], 0
    for task in pages(real):
        if task.path.exists():
            image = load_image(task.path)
            began = time.process_time()
            made_up += len(find_barcodes(image))
            seconds.append(time.process_time() - began)
    return (
        f"- {len(seconds)} real pictures without one: {made_up} made up; median "
        f"{1000 * statistics.median(seconds):.0f} ms, slowest {1000 * max(seconds):.0f} ms."
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=50, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="also to results/barcodes.md")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(options.seed)
    rows = [
        "| pictures | dots per inch | read | wrong | half bars mended | time |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows += [
        measure(dpi, setting, options.count, rng)
        for setting in SETTINGS
        for dpi in (100, 150, 300)
    ]
    real = os.environ.get("DIGITLENS_REAL")
    notes = [measure_real(Path(real))] if real else []
    text = "\n".join([*rows, "", *notes, f"- Seed {options.seed}; {machine()}."])
    keep("barcodes", text + "\n", write=options.write)


if __name__ == "__main__":
    main()
