"""A lab inside the test's own process, and pictures to send it."""

from __future__ import annotations

import asyncio
import io
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.mail.candidates import ZipCandidate, rank_zip_lines
from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Review, Sorting, sort_folder
from digitlens.server.app import Lab
from digitlens.server.export import export_lab
from digitlens.server.review_desk import ReviewDesk
from digitlens.server.settings import ServerSettings

BASE = "http://localhost:8000"
HOW = "the page's scripts were not tested: no node. Get it: apt-get install nodejs"


class Client:
    """A client of a lab that runs in an event loop of its own, in another thread.

    `get`, `post` and the like are those of httpx; a body may be an iterator of bytes.
    """

    def __init__(self, lab: Lab, base: str) -> None:
        self.lab = lab
        self.state = lab.state
        self._base = base
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def run(self, act: Any) -> Any:
        """Run a coroutine in the lab's event loop and return its result."""
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(60)

    def begin(self, method: str, address: str, **rest: Any) -> Any:
        """Send a request and return the future of its response."""
        act = self._send(method, address, **rest)
        return asyncio.run_coroutine_threadsafe(act, self._loop)

    def request(self, method: str, address: str, **rest: Any) -> httpx.Response:
        """Send a request and return its response."""
        response: httpx.Response = self.run(self._send(method, address, **rest))
        return response

    async def _send(self, method: str, address: str, **rest: Any) -> httpx.Response:
        if isinstance(rest.get("content"), Iterator):
            rest["content"] = _pieces(rest["content"])
        request = self._client.build_request(method, address, **rest)
        if not hasattr(rest.get("content"), "__aiter__"):
            await request.aread()  # so that a test can look at what was sent
        return await self._client.send(request)

    def get(self, address: str, **rest: Any) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", address, **rest)

    def post(self, address: str, **rest: Any) -> httpx.Response:
        """Send a POST."""
        return self.request("POST", address, **rest)

    def delete(self, address: str, **rest: Any) -> httpx.Response:
        """Send a DELETE."""
        return self.request("DELETE", address, **rest)

    def __enter__(self) -> Client:
        self._thread.start()
        try:
            self.run(self._open())
        except BaseException:
            self._end_loop()  # a thread that runs on would keep the tests from ending
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._close())
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        transport = httpx.ASGITransport(self.lab, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=self._base, timeout=60)
        self._life = self.lab.api.router.lifespan_context(self.lab.api)
        await self._life.__aenter__()

    async def _close(self) -> None:
        await self._client.aclose()
        await self._life.__aexit__(None, None, None)


async def _pieces(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


Open = Callable[..., AbstractContextManager[Client]]


@pytest.fixture(scope="session")
def lab_client() -> Callable[..., Client]:
    """Return `Client`: a lab in, a context manager that gives a client of it out."""
    return lambda lab: Client(lab, BASE)


@pytest.fixture
def open_lab(in_tmp: Path) -> Open:
    """Return a function that opens a lab in an empty folder: settings in, a client out.

    The client's `state` is what the lab holds.
    """

    def opened(base: str = BASE, **options: Any) -> Client:
        return Client(Lab(ServerSettings(folder=in_tmp, **options)), base)

    return opened


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Return a client of a lab that tests only ask, and never change: it is opened once."""
    with Client(Lab(ServerSettings(folder=tmp_path_factory.mktemp("still"))), BASE) as client:
        yield client


@pytest.fixture
def lab(open_lab: Open) -> Iterator[Client]:
    """Return a client of a lab with the usual settings."""
    with open_lab() as client:
        yield client


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Return a function that makes a PNG file of pixels."""

    def make(pixels: Any) -> bytes:
        into = io.BytesIO()
        Image.fromarray(np.asarray(pixels, np.uint8)).save(into, "PNG")
        return into.getvalue()

    return make


@pytest.fixture(scope="session")
def seven() -> Image.Image:
    """Return a drawn 7, dark on light, 140 x 140."""
    picture = Image.new("L", (140, 140), 245)
    pen = ImageDraw.Draw(picture)
    pen.line([(35, 35), (105, 35), (65, 110)], fill=20, width=11, joint="curve")
    return picture


@pytest.fixture(scope="session")
def seven_png(seven: Image.Image, png: Callable[..., bytes]) -> bytes:
    """Return that 7 as a PNG file."""
    return png(seven)


@pytest.fixture(scope="session")
def problem() -> Callable[..., dict[str, Any]]:
    """Return a function that checks a response to be problem details of a status."""

    def check(response: Any, status: int) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        result: dict[str, Any] = response.json()
        assert result["status"] == status
        assert result["type"].startswith("urn:digitlens:")
        assert result["title"]
        assert result["detail"]
        return result

    return check


class SmallMail:
    """Four ZIPs and a plan by state, and a reader that is never sure."""

    directory = Directory(
        Place(text, city, (city,), state, "", "STANDARD")
        for text, city, state in (
            ("00501", "Holtsville", "NY"),
            ("02134", "Allston", "MA"),
            ("02135", "Brighton", "MA"),
            ("90210", "Beverly Hills", "CA"),
        )
    )
    plan = make_plan(directory, "state")

    def read(self, _: Path) -> tuple[ZipCandidate, ...]:
        """Return a line that is most likely 02134, wherever it is asked for."""
        digits = tuple(
            LineDigit(digit, 0.9, (100.0 + 12 * index, 60.0, 112.0 + 12 * index, 80.0))
            for index, digit in enumerate("02134")
        )
        others = (Alternative("02135", 0.3), Alternative("00501", 0.1))
        return rank_zip_lines([Line("02134", 0.6, (100.0, 60.0, 160.0, 80.0), digits, others)])

    def open_desk(self, trays: Path, scans: Path | None = None, **options: Any) -> ReviewDesk:
        """Return the desk of trays that were sorted by this plan."""
        review = Review(trays, self.plan, self.directory, **options)
        return ReviewDesk(trays, review, self.plan, self.directory, scans)


@pytest.fixture(scope="session")
def small_mail() -> SmallMail:
    """Return a directory of four ZIPs, a plan and a reader."""
    return SmallMail()


@pytest.fixture(scope="session")
def sort_mail(small_mail: SmallMail) -> Callable[[Path, Path], Path]:
    """Return a function that sorts a folder so that every piece waits for a person."""

    def sort(folder: Path, out: Path) -> Path:
        sort_folder(
            folder,
            out,
            Sorting(small_mail.read, RoutingPolicy(small_mail.directory), small_mail.plan),
        )
        return out

    return sort


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an exported lab."""
    folder = tmp_path_factory.mktemp("export") / "lab"
    export_lab(folder)
    return folder


@pytest.fixture(scope="session")
def node() -> str:
    """Return where node lies; without it the test is skipped."""
    path = shutil.which("node")
    if path is None:
        pytest.skip(HOW)
    return path
