"""The lab's page in a browser: how long from a stroke to the bars.

    make bench-page

`digitlens serve` and a headless Chromium share this machine's cores. A 7 is drawn point by
point, 80 milliseconds apart as a slow hand does it, several times over. Each point is timed
from the moment at which the browser says that the pointer moved to the frame in which the
bars have been painted anew; the browser shows 60 frames a second, so that up to 17 ms of it
are spent waiting for the next one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys

import numpy as np

from service import run_server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAUSE_MS = 80
"""Milliseconds between two points."""

WATCH = """() => {
    let from = null;
    window.taken = [];
    document.getElementById('pad').addEventListener('pointermove', event => {
        if (event.buttons && from === null) from = event.timeStamp;
    }, true);
    const seen = () => {
        if (from === null) return;
        const start = from;
        from = null;
        requestAnimationFrame(() => {
            const after = new MessageChannel();  // told once the frame has been painted
            after.port1.onmessage = () => {
                const measured = performance.measure('stroke to bars', {start});
                window.taken.push(measured.duration);
            };
            after.port2.postMessage(0);
        });
    };
    const what = {subtree: true, attributes: true, childList: true, characterData: true};
    new MutationObserver(seen).observe(document.getElementById('draw-bars'), what);
}"""

ACROSS = [(0.25 + 0.05 * index, 0.25) for index in range(11)]
DOWN = [(0.75 - 0.03 * index, 0.25 + 0.055 * index) for index in range(1, 11)]


def measure_strokes(address: str, browser: str, times: int) -> np.ndarray:
    """Return the milliseconds of each point of a 7 that is drawn so many times."""
    from playwright.sync_api import sync_playwright

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox"] if root else []
        )
        page = started.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.wait_for_selector("#network option", state="attached")
        page.evaluate(WATCH)
        paper = page.locator("#pad").bounding_box()
        assert paper is not None
        for _ in range(times):
            for index, (x, y) in enumerate(ACROSS + DOWN):
                page.mouse.move(
                    paper["x"] + x * paper["width"], paper["y"] + y * paper["height"]
                )
                if not index:
                    page.mouse.down()
                page.wait_for_timeout(PAUSE_MS)
            page.mouse.up()
            page.locator("#clear").click()
            page.wait_for_timeout(PAUSE_MS)
        result = page.evaluate("window.taken")
        started.close()
    return np.array(result)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=10, help="how often the 7 is drawn")
    options = parser.parse_args()
    named = os.environ.get("DIGITLENS_CHROMIUM")
    browser = named or next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        sys.exit("no Chromium: apt-get install chromium, or set DIGITLENS_CHROMIUM")
    with run_server() as (host, port, _):
        result = measure_strokes(f"http://{host}:{port}/", browser, options.times)
    print(
        f"stroke to bars, {len(result)} points: median {np.median(result):.0f} ms, "
        f"95 of 100 within {np.percentile(result, 95):.0f} ms, longest {result.max():.0f} ms"
    )


if __name__ == "__main__":
    main()
