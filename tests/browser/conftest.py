"""A real browser on a real lab; each test gets a page of its own, and it must stay clean."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
MORTAL = [sys.executable, str(HERE.parent / "mortal.py")]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = (
    "the tests of the page in a browser were skipped: no {0}. "
    "Get it: apt-get install chromium (or set DIGITLENS_CHROMIUM to a browser), "
    "pip install playwright (its own browsers are not needed)"
)
WIDE = {"width": 1280, "height": 900}
PATIENCE = 60_000
"""Milliseconds that a thing on the page may take: seconds, where other work has the cores."""


def chromium() -> str | None:
    """Return where a Chromium lies, if there is one."""
    named = os.environ.get("DIGITLENS_CHROMIUM")
    return named or next((result for name in NAMES if (result := shutil.which(name))), None)


def wanting() -> str | None:
    """Return what is missing, in a word."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright"
    return None if chromium() else "Chromium"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly that the page was not tested, and how it would be."""
    if missing := wanting():
        terminalreporter.write_line(HOW.format(missing), yellow=True, bold=True)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return where a Chromium lies; without one, or without Playwright, the test is skipped."""
    if missing := wanting():
        pytest.skip(f"no {missing}: the last lines say how to get it")
    return str(chromium())


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Any]:
    """Return the browser, started once a module.

    Not once for all tests: while Playwright runs, no other test can call asyncio.run.
    """
    from playwright.sync_api import sync_playwright

    # As root, which is who runs tests in containers, Chromium wants it said.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox"] if root else []
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def expect(chromium_path: str) -> Any:
    """Return Playwright's `expect`, which waits until a thing is as it should be.

    Conditions written as text cannot be waited for: the page allows no text to become code.
    """
    from playwright.sync_api import expect as wait

    wait.set_options(timeout=PATIENCE)
    return wait


@contextmanager
def running(script: str, folder: Path, *options: str, **variables: str) -> Iterator[str]:
    """Run a lab in a process and a folder of its own, and give its address.

    It takes what the script takes, and variables of the environment.
    """
    command = [*MORTAL, sys.executable, str(HERE / script), *options]
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    ) as lab:
        assert lab.stdout is not None
        address = lab.stdout.readline().strip()
        assert address, "the lab did not start"
        yield address
        lab.terminate()


@pytest.fixture(scope="session")
def run_lab(chromium_path: str) -> Callable[..., AbstractContextManager[str]]:
    """Return `running`: a script and a folder in, a context manager out."""
    return running


@pytest.fixture(scope="session")
def start_lab(
    run_lab: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., AbstractContextManager[str]]:
    """Return a function that opens a lab with readers, as `lab_with_reader.py` has it."""

    def started(*options: str, **variables: str) -> AbstractContextManager[str]:
        folder = tmp_path_factory.mktemp("lab")
        return run_lab("lab_with_reader.py", folder, *options, **variables)

    return started


@pytest.fixture(scope="session")
def lab_address(start_lab: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """Return the address of a lab whose reader is made up."""
    with start_lab() as address:
        yield address


@pytest.fixture(scope="session")
def static_address(
    chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of an exported lab, below the root of a plain host of files."""
    from digitlens.server.export import export_lab

    folder = tmp_path_factory.mktemp("host")
    export_lab(folder / "lab")
    host = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    command = [*MORTAL, *host]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().split(" port ")[1].split()[0]
        yield f"http://127.0.0.1:{port}/lab/"
        process.terminate()


ASK = """async ([path, body, query]) => {
    const script = document.querySelector('script[type="module"]').src;
    const api = await import(new URL("core/api.js", script));
    return body ? api.post(path, body, query) : api.get(path, query);
}"""


@pytest.fixture(scope="session")
def ask_page() -> Callable[..., Any]:
    """Return a function that asks a page's own backend: page, path, body and query."""

    def ask(page: Any, path: str, body: Any = None, **query: Any) -> Any:
        return page.evaluate(ASK, [path, body, query])

    return ask


@pytest.fixture
def backend() -> str:
    """Return what answers the page: a server; a test may ask for the exported lab instead."""
    return "server"


class Pages:
    """Pages that the tests of a module use one after the other, each as if it were new.

    A new page costs a process and compiles every script: more than most tests do with it.
    """

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._kept: list[tuple[dict[str, Any], Any]] = []
        self._used: list[tuple[dict[str, Any], Any]] = []
        self.faults: list[str] = []
        self.address = ""

    def take(self, address: str, options: dict[str, Any]) -> Any:
        """Return a page without history of its own, storage, routes or anything open."""
        self.address = address
        like = {name: value for name, value in options.items() if name != "viewport"}
        page = next((page for kept, page in self._kept if kept == like), None)
        if page is None:
            context = self._browser.new_context(**options)
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.faults, page.asked = self.faults, set()
            self._note(page)
        else:
            self._kept.remove((like, page))
            page.set_viewport_size(options["viewport"])
        self._used.append((like, page))
        return page

    def give_back(self) -> None:
        """Wipe the pages that a test used; one whose clock was set, so `once`, is closed."""
        while self._used:
            options, page = self._used.pop()
            if getattr(page, "once", False):
                page.context.close()
                continue
            page.unroute_all(behavior="ignoreErrors")
            for other in page.context.pages:
                if other is not page:
                    other.close()
            page.mouse.up()
            # A file without scripts, so that nothing writes again what is wiped.
            page.goto(self.address + "favicon.ico")
            page.evaluate(WIPE)
            self._kept.append((options, page))
        self.faults.clear()

    def _note(self, page: Any) -> None:
        """Keep what the page waits for, and what it should not say: errors, other hosts."""

        def begin(asked: Any) -> None:
            page.asked.add(asked)
            if not asked.url.startswith((self.address, "data:", "blob:")):
                self.faults.append(f"asked elsewhere: {asked.url}")

        def end(asked: Any) -> None:
            page.asked.discard(asked)

        page.on("request", begin)
        page.on("requestfinished", end)
        page.on("requestfailed", end)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: (
                said.type in ("error", "warning")
                and self.faults.append(f"{said.type}: {said.text}")
            ),
        )


WIPE = """async () => {
    localStorage.clear();
    sessionStorage.clear();
    for (const {name} of await indexedDB.databases())
        await new Promise(resolve => {
            const request = indexedDB.deleteDatabase(name);
            request.onsuccess = request.onerror = request.onblocked = resolve;
        });
}"""


@pytest.fixture(scope="module")
def pages(browser: Any) -> Pages:
    """Return the pages of a module's tests."""
    return Pages(browser)


@pytest.fixture
def open_page(
    pages: Pages, backend: str, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Any]]:
    """Return a function that opens the page: where in it, and what the browser is like.

    When the test is over, no page has logged an error, raised one, or asked another host.
    """
    addresses = {"server": "lab_address", "static": "static_address"}
    address: str = request.getfixturevalue(addresses[backend])

    def opened(where: str = "", **options: Any) -> Any:
        page = pages.take(address, {"viewport": WIDE, **options})
        if backend == "static" and "network=" not in where:  # it begins with a smaller one
            where = (where or "#draw") + ("&" if "?" in where else "?") + "network=universal"
        page.goto(address + where)
        page.wait_for_selector("#network option", state="attached")
        return page

    yield opened
    faults = list(pages.faults)
    pages.give_back()
    assert faults == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """Return the page as it is first opened, on a wide screen."""
    return open_page()


SEVEN = ((0.25, 0.25), (0.75, 0.25), (0.45, 0.8))
"""Corners of a 7, as shares of the paper's side."""

FRAMES = """() => new Promise(resolve => requestAnimationFrame(() =>
    requestAnimationFrame(resolve)))"""


@pytest.fixture(scope="session")
def settle() -> Callable[[Any], None]:
    """Return a function that waits until a page has all it asked for, and has drawn it."""

    def wait(page: Any) -> None:
        before, alike = set(), 0
        for _ in range(2000):  # many requests, on a busy machine
            page.evaluate(FRAMES)
            alike = alike + 1 if page.asked == before else 0
            before = set(page.asked)
            # A request that is taken back at the moment when it begins ends without a word.
            if not page.asked or alike > 300:
                break
        page.asked.clear()
        page.evaluate(FRAMES)

    return wait


@pytest.fixture(scope="session")
def draw_seven(expect: Any) -> Callable[..., None]:
    """Return a function that draws a 7 with the mouse, and waits for the answer to it."""

    def draw(
        page: Any, lift: bool = True, pad: str = "#pad", digit: str = "#answer-digit"
    ) -> None:
        paper = page.locator(pad).bounding_box()
        corners = [
            (paper["x"] + x * paper["width"], paper["y"] + y * paper["height"])
            for x, y in SEVEN
        ]
        page.mouse.move(*corners[0])
        page.mouse.down()
        for corner in corners[1:]:
            page.mouse.move(*corner, steps=8)
        if lift:
            page.mouse.up()
        expect(page.locator(digit)).to_have_text("7")

    return draw


@pytest.fixture
def seven(page: Any, draw_seven: Callable[..., None]) -> Any:
    """Return the page with a 7 drawn."""
    draw_seven(page)
    return page


@pytest.fixture(scope="session")
def go() -> Callable[[Any, str], None]:
    """Return a function that opens a view by its link."""

    def go_to(page: Any, tab: str) -> None:
        page.locator(f'nav a[data-tab="{tab}"]').click()
        page.locator(f"#view-{tab}").wait_for()

    return go_to


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Return a function that makes a PNG file of pixels."""

    def make(pixels: Any) -> bytes:
        into = io.BytesIO()
        Image.fromarray(np.asarray(pixels, np.uint8)).save(into, "PNG")
        return into.getvalue()

    return make


@pytest.fixture(scope="session")
def seven_png(png: Callable[..., bytes]) -> bytes:
    """Return a picture of a 7, dark on light, 140 x 140."""
    picture = Image.new("L", (140, 140), 245)
    pen = ImageDraw.Draw(picture)
    pen.line([(35, 35), (105, 35), (65, 110)], fill=20, width=11, joint="curve")
    return png(picture)
