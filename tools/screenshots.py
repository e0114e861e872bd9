"""Draw the pictures of the README: the lab in a real browser, and a letter that was read.

    .venv/bin/python tools/screenshots.py

It takes Chromium (apt-get install chromium, or DIGITLENS_CHROMIUM), playwright and
DIGITLENS_DATA. A 7 is drawn with the mouse on the page that `digitlens serve` shows; what an
envelope of `digitlens mail sample` says is read by `digitlens read --annotate`. It writes
draw.png, convolution.png and envelope.png into docs/images.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTH, HEIGHT = 1280, 800

SEVEN = [(0.26, 0.27), (0.5, 0.24), (0.74, 0.25), (0.6, 0.5), (0.46, 0.82)]
"""Corners of a 7, as shares of the paper's side."""

BAR = [(0.4, 0.55), (0.68, 0.52)]

WIDEST = 900
"""Columns of a picture of paper: more than a page shows are of no use."""


def digitlens(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the command line of this interpreter's digitlens."""
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "digitlens", *arguments], text=True, **options
    )


@contextmanager
def run_lab(folder: Path) -> Iterator[str]:
    """Run the lab in a folder of its own, and give its address."""
    lab = digitlens("serve", "--port", "0", cwd=folder, stderr=subprocess.PIPE)
    assert lab.stderr is not None
    try:
        yield next(word for line in lab.stderr for word in line.split() if "http://" in word)
    finally:
        lab.terminate()
        lab.wait()


def draw(page: Any, corners: list[tuple[float, float]]) -> None:
    """Draw one stroke with the mouse."""
    paper = page.locator("#pad").bounding_box()
    points = [(paper["x"] + x * paper["width"], paper["y"] + y * paper["height"])
              for x, y in corners]  # fmt: skip
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


def shoot_lab(folder: Path) -> None:
    """Write draw.png and convolution.png: a 7 on the page, and inside a network."""
    from playwright.sync_api import sync_playwright

    browser_path = os.environ.get("DIGITLENS_CHROMIUM") or shutil.which("chromium")
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with run_lab(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=options)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(address)
        page.wait_for_selector("#network option", state="attached")
        draw(page, SEVEN)
        draw(page, BAR)
        page.wait_for_url("**strokes=*")
        page.wait_for_load_state("networkidle")
        page.mouse.move(1, 1)
        page.screenshot(path=IMAGES / "draw.png")
        page.locator('nav a[data-tab="convolution"]').click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=IMAGES / "convolution.png")
        browser.close()


def shoot_envelope(folder: Path) -> None:
    """Write envelope.png: a sample envelope with what was read on it."""
    digitlens("mail", "sample", "1", "--out", "mail", "--seed", "4", cwd=folder).wait()
    picture = next(path for path in (folder / "mail").iterdir() if path.suffix != ".csv")
    command = ["read", str(picture), "--length", "5", "--annotate", "seen"]
    digitlens(*command, cwd=folder).wait()
    annotated = Image.open(next((folder / "seen").iterdir()))
    annotated.thumbnail((WIDEST, WIDEST))
    annotated.save(IMAGES / "envelope.png", optimize=True)


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        shoot_lab(Path(folder))
        shoot_envelope(Path(folder))
    for name in ("draw.png", "convolution.png"):
        picture = Image.open(IMAGES / name).convert("RGB")
        colours = picture.quantize(256, dither=Image.Dither.NONE)  # a page is few colours
        colours.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main()
