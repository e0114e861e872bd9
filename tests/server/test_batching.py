"""The queue: batches, its bound, its patience."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from digitlens.errors import NoInkError, UsageError
from digitlens.models.registry import DEFAULT_NETWORK
from digitlens.server import uploads
from digitlens.server.batching import Batcher
from digitlens.server.prometheus import Histogram
from digitlens.server.settings import ServerSettings

PNG = {"content-type": "image/png"}
Check = Callable[..., dict[str, Any]]


class Held:
    """A model that answers only when it is let go, and counts its batches."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.go = threading.Event()
        self.asked = threading.Event()
        self.sizes: list[int] = []

    def predict(self, digits: Any) -> Any:
        """Wait, then answer."""
        self.sizes.append(len(digits))
        self.asked.set()
        assert self.go.wait(30)
        return self.model.predict(digits)


@pytest.fixture
def held(lab: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the lab's default network, made to wait."""
    model = Held(lab.state.networks.get(DEFAULT_NETWORK))
    monkeypatch.setattr(lab.state.networks, "get_loaded", lambda _: model)
    yield model
    model.go.set()


def test_requests_that_arrive_together_are_one_batch(
    lab: Any, held: Held, seven_png: bytes
) -> None:
    """What comes while a batch is answered is answered together, right after it."""
    first = lab.begin("POST", "/v1/predict", content=seven_png, headers=PNG)
    assert held.asked.wait(30)
    others = [
        lab.begin("POST", "/v1/predict", content=seven_png, headers=PNG) for _ in range(20)
    ]
    lab.run(until(lambda: lab.state.batcher.waiting == 21))
    held.go.set()
    answers = [item.result(30) for item in (first, *others)]
    assert held.sizes == [1, 20]
    assert {item.status_code for item in answers} == {200}
    assert len({item.text for item in answers}) == 1
    assert lab.state.batcher.waiting == 0


async def until(true: Callable[[], bool]) -> None:
    """Let the event loop run until something is true."""
    while not true():
        await asyncio.sleep(0)


def test_a_full_queue_turns_away(open_lab: Any, seven_png: bytes, problem: Check) -> None:
    """When as many pictures wait as may, the next is 503 with Retry-After; then all is well."""
    with open_lab(max_waiting=2) as lab:
        model = Held(lab.state.networks.get(DEFAULT_NETWORK))
        lab.state.networks.get_loaded = lambda _: model
        waiting = [
            lab.begin("POST", "/v1/predict", content=seven_png, headers=PNG) for _ in range(2)
        ]
        lab.run(until(lambda: lab.state.batcher.waiting == 2))
        turned = lab.post("/v1/predict", content=seven_png, headers=PNG)
        problem(turned, 503)
        assert turned.headers["retry-after"] == "1"
        model.go.set()
        assert [item.result(30).status_code for item in waiting] == [200, 200]
        assert lab.post("/v1/predict", content=seven_png, headers=PNG).status_code == 200


def test_an_answer_that_takes_too_long_is_503(
    open_lab: Any, seven_png: bytes, problem: Check
) -> None:
    """Nobody waits longer than the lab's patience, and the queue is free again after."""
    with open_lab(answer_seconds=0.05) as lab:
        model = Held(lab.state.networks.get(DEFAULT_NETWORK))
        lab.state.networks.get_loaded = lambda _: model
        result = problem(lab.post("/v1/predict", content=seven_png, headers=PNG), 503)
        assert "0.05 seconds" in result["detail"]
        assert lab.state.batcher.waiting == 0
        model.go.set()


def test_a_slow_body_is_408(open_lab: Any, problem: Check, seven_png: bytes) -> None:
    """A body that does not come in time is 408, and its room is given back."""

    class Never:
        """A body of which nothing more comes after its first bytes."""

        async def __aiter__(self) -> Any:
            yield seven_png[:10]
            await asyncio.sleep(3600)

    with open_lab(body_seconds=0.05) as lab:
        response = lab.post("/v1/predict", content=Never(), headers=PNG)
        problem(response, 408)
        assert lab.state.body_budget.held == 0


def test_a_large_picture_holds_nobody_up(
    lab: Any, seven_png: bytes, png: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large picture is framed, small ones are answered."""
    from digitlens.server import batching

    real, go, begun = batching.prepare_digit, threading.Event(), threading.Event()

    def slow(upload: Any, most: Any, **rest: Any) -> Any:
        if len(upload) == len(large):
            begun.set()
            assert go.wait(30)
        return real(upload, most, **rest)

    pixels = np.full((400, 400), 255, np.uint8)
    pixels[100:300, 190:210] = 0
    large = png(pixels)
    monkeypatch.setattr(batching, "prepare_digit", slow)
    one = lab.begin("POST", "/v1/predict", content=large, headers=PNG)
    assert begun.wait(30)
    assert lab.post("/v1/predict", content=seven_png, headers=PNG).status_code == 200
    go.set()
    assert one.result(30).json()["pictures"][0]["answers"][0]["digit"] == 1


def test_a_stopped_batcher_has_answered_what_was_there(seven_png: bytes) -> None:
    """Stopping answers all that waits, and then the thread ends."""
    from digitlens.models.inference import load_model

    async def life() -> int:
        batcher = Batcher(ServerSettings(), Histogram((1, 2, 4)))
        batcher.start()
        networks = {"cnn": load_model("cnn", threads=1)}
        tasks = [
            asyncio.create_task(batcher.answer([seven_png], networks, frame=True))
            for _ in range(5)
        ]
        await until(lambda: batcher.waiting == 5)
        await asyncio.to_thread(batcher.stop)
        return len(await asyncio.gather(*tasks))

    assert asyncio.run(life()) == 5


def test_the_metrics_count_batches_and_requests(lab: Any, seven_png: bytes) -> None:
    """/metrics tells requests by address and status, and how large batches were."""
    for _ in range(3):
        lab.post("/v1/predict", content=seven_png, headers=PNG)
    lab.post("/v1/predict", content=b"", headers=PNG)
    lab.get("/v1/runs/some-name-that-was-sent")
    lab.get("/nowhere")
    text = lab.get("/metrics").text
    name = "digitlens_requests_total"
    assert f'{name}{{route="/v1/predict",method="POST",status="200"}} 3\n' in text
    assert f'{name}{{route="/v1/predict",method="POST",status="400"}} 1\n' in text
    assert f'{name}{{route="other",method="GET",status="404"}} 1\n' in text
    assert "some-name" not in text
    assert "digitlens_batch_pictures_count 3\n" in text
    assert 'digitlens_batch_pictures_bucket{le="+Inf"} 3\n' in text
    assert "digitlens_pictures_waiting 0\n" in text
    for line in text.splitlines():
        assert line.startswith("# ") or len(line.rsplit(" ", 1)) == 2


PREPARED = {"predict": "batching", "explain": "routes.explain"}


@pytest.mark.parametrize("address", PREPARED)
def test_a_picture_that_failed_is_held_no_longer(
    lab: Any, seven_png: bytes, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was at work when it failed goes at once, not when the garbage collector comes."""
    held = []

    class Pixels:
        """Stand for a hundred megabytes."""

    def fail(*_: Any, **__: Any) -> None:
        pixels = Pixels()
        held.append(weakref.ref(pixels))
        try:
            raise ValueError("damaged")
        except ValueError as error:
            raise NoInkError("the picture must show a digit") from error

    monkeypatch.setattr(f"digitlens.server.{PREPARED[address]}.prepare_digit", fail)
    gc.disable()
    try:
        response = lab.post(f"/v1/{address}", content=seven_png, headers=PNG)
        assert response.status_code == 422
        lab.run(until(lambda: held[0]() is None))
    finally:
        gc.enable()


def test_large_json_is_parsed_one_by_one(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many large bodies at a time are not many times ten times their size."""
    meet = threading.Barrier(2)

    def parse(body: bytes, settings: ServerSettings) -> Any:
        with suppress(threading.BrokenBarrierError):
            meet.wait(0.1)
            together.append(body)
        raise UsageError("the body must be JSON")

    together: list[bytes] = []
    monkeypatch.setattr(uploads, "parse_json", parse)
    body, headers = b" " * (uploads.LARGE_JSON + 1), {"content-type": "application/json"}
    asked = [lab.begin("POST", "/v1/predict", content=body, headers=headers) for _ in range(4)]
    assert {one.result(30).status_code for one in asked} == {400}
    assert not together
