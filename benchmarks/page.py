"""The lab's page in a browser: how long from a stroke to the bars, or to a whole network.

    make bench-page

`digitlens serve`, then the same lab as files (`digitlens serve --export`) from a plain host,
and a headless Chromium share this machine's cores. A 7 is drawn point by point, at least 80
milliseconds apart as a slow hand does it, several times over: on the tab Draw, and on the tab
Network for each network. Each point is timed from the moment at which the browser says that
the pointer moved to the frame in which all has been painted anew: the bars; or the answer,
every layer and the ribbons. The next point waits for that. The browser shows 60 frames a
second, so that up to 17 ms of it are spent waiting for the next one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from service import run_server

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAUSE_MS = 80
"""Milliseconds between two points, at least."""

# `window.painted()` resolves with the milliseconds of the point that was drawn last.
WATCH = """([pad, box, wanted]) => {
    let [from, taken, tell] = [null, null, () => {}];
    const begin = ({buttons, timeStamp}) => {
        if (buttons) [from, taken] = [timeStamp, null];
    };
    for (const kind of ['pointerdown', 'pointermove']) {
        document.getElementById(pad).addEventListener(kind, begin, true);
    }
    const see = name => {
        if (name !== wanted || from === null) return;
        const start = from;
        from = null;
        requestAnimationFrame(() => {
            const after = new MessageChannel();  // told once the frame has been painted
            after.port1.onmessage = () => tell((taken = performance.now() - start));
            after.port2.postMessage(0);
        });
    };
    window.painted = () => taken ?? new Promise(resolve => (tell = resolve));
    const what = {subtree: true, attributes: true, childList: true, characterData: true};
    new MutationObserver(() => see(box)).observe(document.getElementById(box), what);
    new PerformanceObserver(list => list.getEntries().forEach(({name}) => see(name))).observe(
        {type: 'mark'}
    );
}"""

ACROSS = [(0.25 + 0.05 * index, 0.25) for index in range(11)]
DOWN = [(0.75 - 0.03 * index, 0.25 + 0.055 * index) for index in range(1, 11)]
# Of each tab: what is drawn on, where the answer is written, and what tells that all is there:
# a change of that element, or a mark that the page sets.
VIEWS = {
    "draw": ("pad", "draw-bars", "draw-bars"),
    "network": ("net-pad", "net-answer", "layers painted"),
}


@contextlib.contextmanager
def open_browser(path: str) -> Iterator[Any]:
    """Start a headless Chromium."""
    from playwright.sync_api import sync_playwright

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = ["--no-sandbox"] if root else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@contextlib.contextmanager
def host_files() -> Iterator[str]:
    """Export the lab into a folder and serve its files; give the address."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with tempfile.TemporaryDirectory(prefix="digitlens-bench-") as folder:
        export = [sys.executable, "-m", "digitlens", "serve", "--export", folder]
        subprocess.run(export, check=True, capture_output=True)
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as host:
            assert host.stdout is not None, "it was asked for"
            port = host.stdout.readline().split(" port ")[1].split()[0]
            yield f"http://127.0.0.1:{port}/"
            host.terminate()


def measure_strokes(
    browser: Any, address: str, tab: str, network: str, times: int
) -> np.ndarray:
    """Return the milliseconds of each point of a 7 that is drawn so many times."""
    pad, box, wanted = VIEWS[tab]
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}#{tab}?network={network}")
    page.wait_for_selector("#network option", state="attached")
    page.wait_for_selector(f"#{box} :first-child", state="attached")
    page.evaluate(WATCH, [pad, box, wanted])
    paper = page.locator(f"#{pad}").bounding_box()
    assert paper is not None
    result = []
    for lap in range(times + 1):
        for index, (x, y) in enumerate(ACROSS + DOWN):
            page.mouse.move(paper["x"] + x * paper["width"], paper["y"] + y * paper["height"])
            if not index:
                page.mouse.down()
            taken = page.evaluate("window.painted()")
            # The first 7 warms everything up, a first point begins on other paper.
            if lap and index:
                result.append(taken)
            page.wait_for_timeout(max(0, PAUSE_MS - taken))
        page.mouse.up()
        page.wait_for_timeout(4 * PAUSE_MS)
    page.close()
    return np.array(result)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=10, help="how often the 7 is drawn")
    parser.add_argument("--network", nargs="+", default=["cnn", "universal"])
    parser.add_argument("--tab", nargs="+", default=list(VIEWS), choices=list(VIEWS))
    parser.add_argument("--address", nargs="+", help="labs that run already, taken in turn")
    options = parser.parse_args()
    named = os.environ.get("DIGITLENS_CHROMIUM")
    path = named or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit("no Chromium: apt-get install chromium, or set DIGITLENS_CHROMIUM")
    with contextlib.ExitStack() as stack:
        browser = stack.enter_context(open_browser(path))
        if options.address:
            labs = {address: address for address in options.address}
        else:
            host, port, _ = stack.enter_context(run_server())
            labs = {
                "server": f"http://{host}:{port}/",
                "static": stack.enter_context(host_files()),
            }
        for tab in options.tab:
            for network in options.network:
                for name, address in labs.items():
                    taken = measure_strokes(browser, address, tab, network, options.times)
                    print(
                        f"{tab:8} {network:12} {name:8} {len(taken):4} points: "
                        f"median {np.median(taken):4.0f} ms, "
                        f"90 of 100 within {np.percentile(taken, 90):4.0f} ms, "
                        f"longest {taken.max():4.0f} ms",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
