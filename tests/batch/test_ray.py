"""Parts on Ray, a made-up one: what is lost is tried again, and what kills is found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from digitlens.batch import Item, Rows, ray_engine
from digitlens.batch.ray_engine import RayEngine
from digitlens.errors import MissingExtraError, ModelError, WorkerError


class FakeRay:
    """Does what its actors are asked for when that is looked at; some of them die of it.

    lost: the jobs, counted from 0, whose machine is lost
    deadly: a name of pictures that kill their worker each time
    unable: how many of the first actors die while they load
    """

    class RayError(Exception):
        """As Ray's."""

    class RayTaskError(RayError):
        """As Ray's: what a task raised."""

        def __init__(self, cause: Exception) -> None:
            self.cause = cause

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(
        self,
        lost: set[int] = frozenset(),  # type: ignore[assignment]
        deadly: str = "-",
        unable: int = 0,
    ) -> None:
        self.lost, self.deadly, self.unable = lost, deadly, unable
        self.jobs = count()
        self.alive: list[Any] = []

    def cluster_resources(self) -> dict[str, float]:
        """Two processors."""
        return {"CPU": 2.0}

    def remote(self, **_: Any) -> Callable[..., Any]:
        """Return what makes an actor of a class."""
        return lambda kind: SimpleNamespace(remote=lambda rows: self.begin(kind(rows)))

    def begin(self, worker: Any) -> Any:
        """Return an actor, whose methods give what `get` does."""
        actor = SimpleNamespace()
        for name in ("load", "make_rows"):
            ask = partial(self.ask, actor, getattr(worker, name))
            setattr(actor, name, SimpleNamespace(remote=ask))
        self.alive.append(actor)
        assert len(self.alive) <= 2, "one a processor"
        return actor

    def ask(self, actor: Any, method: Any, *arguments: Any) -> Any:
        """Return a reference: something that is called later."""
        number = next(self.jobs) if arguments else -1
        return partial(self.do, actor, method, number, *arguments)

    def do(self, actor: Any, method: Any, number: int, *arguments: Any) -> Any:
        """Do what an actor was asked for."""
        deadly = any(self.deadly in item.name for items in arguments for item in items)
        if number in self.lost or deadly or (not arguments and self.unable > 0):
            self.unable -= not arguments
            self.alive.remove(actor)
            raise self.RayError
        try:
            return method(*arguments)
        except Exception as error:
            raise self.RayTaskError(error) from error

    def wait(self, calls: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        """Say that the last one is ready first."""
        return calls[-1:], calls[:-1]

    def get(self, reference: Any) -> Any:
        """Return what comes of it."""
        return reference()

    def kill(self, actor: Any) -> None:
        """End an actor."""
        self.alive.remove(actor)


def _parts(count: int = 10, size: int = 4) -> list[tuple[int, list[Item]]]:
    items = [Item(Path(f"{index}.png"), f"{index}.png", "") for index in range(count)]
    return [(start // size, items[start : start + size]) for start in range(0, count, size)]


def _run(
    ray: FakeRay, rows: Any, monkeypatch: pytest.MonkeyPatch, limit: float = 60.0
) -> dict[int, list[Any]]:
    monkeypatch.setattr(ray_engine, "_connect", lambda *_: ray)
    result = list(RayEngine(limit=limit)(iter(_parts()), rows))
    assert len(result) == len(dict(result)), "each part once"
    assert not ray.alive, "all workers are ended"
    return dict(result)


def test_parts_come_as_here(rows: Any, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of each part are those of a single process, whatever is ready first."""
    assert _run(FakeRay(), rows, monkeypatch) == dict(engine(iter(_parts()), rows))


@pytest.mark.parametrize("lost", [{0}, {0, 1, 2, 3}, {2, 4}])
def test_a_lost_machine_changes_nothing(
    rows: Any, engine: Any, monkeypatch: pytest.MonkeyPatch, lost: set[int]
) -> None:
    """A part whose process was lost is done again, in pieces, and is the same."""
    assert _run(FakeRay(lost), rows, monkeypatch) == dict(engine(iter(_parts()), rows))


def test_a_deadly_picture_costs_its_row(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture that kills its process each time is found; those beside it are read."""
    result = _run(FakeRay(deadly="5.png"), rows, monkeypatch)
    kinds = [(row["file"], row["kind"]) for part in sorted(result) for row in result[part]]
    assert kinds == [(f"{index}.png", "died" if index == 5 else None) for index in range(10)]


@pytest.mark.parametrize(("unable", "ends"), [(9, True), (10, False)])
def test_workers_that_do_not_start_end_it(
    rows: Any, engine: Any, monkeypatch: pytest.MonkeyPatch, unable: int, ends: bool
) -> None:
    """Machines may be lost while a worker loads; where ten in a row die that is an error."""
    ray = FakeRay(unable=unable)
    if ends:
        assert _run(ray, rows, monkeypatch) == dict(engine(iter(_parts()), rows))
    else:
        with pytest.raises(WorkerError, match="no worker of Ray starts"):
            _run(ray, rows, monkeypatch)


def test_what_takes_too_long_costs_its_row(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that hangs is ended, and its pictures are tried in pieces."""
    ray = FakeRay()
    monkeypatch.setattr(ray_engine, "_connect", lambda *_: ray)
    # Workers come to load; what they are asked for after that is never ready.
    monkeypatch.setattr(
        ray, "wait", lambda calls, **_: ([call for call in calls if call.args[2] < 0], [])
    )
    ((part, made),) = RayEngine(limit=-1.0)(iter(_parts(count=2)), rows)
    assert (part, [row["kind"] for row in made]) == (0, ["too-slow", "too-slow"])
    assert not ray.alive


def test_waiting_for_a_processor_is_not_slow(
    rows: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a cluster that others use workers may start late: no picture is blamed for it."""
    ray, turns, real = FakeRay(), count(), FakeRay.wait
    monkeypatch.setattr(ray_engine.time, "monotonic", lambda: 100.0 * next(turns))
    monkeypatch.setattr(
        ray, "wait", lambda calls, **_: real(ray, calls) if next(turns) > 40 else ([], calls)
    )
    result = _run(ray, rows, monkeypatch, limit=3000.0)
    assert result == dict(engine(iter(_parts()), rows))


def test_a_fault_of_all_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is none is the error it is; all workers are ended."""
    ray = FakeRay()
    with pytest.raises(ModelError, match=r"none\.onnx"):
        _run(ray, Rows("predict", "none.onnx"), monkeypatch)
    assert not ray.alive


class SlowRay:
    """A Ray whose cluster is there at the second try, or never."""

    def __init__(self, fails: int) -> None:
        self.fails, self.asked = fails, list[dict[str, Any]]()

    def is_initialized(self) -> bool:
        """Say whether a cluster was begun."""
        return len(self.asked) > self.fails

    def init(self, **more: Any) -> None:
        """Begin a cluster, or fail as Ray does."""
        self.asked.append(more)
        if not self.is_initialized():
            raise RuntimeError("The current node timed out during startup.\nmore")

    def shutdown(self) -> None:
        """End what was begun of it."""


def test_a_cluster_of_this_machine_is_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray gives up early on a busy machine: once more is tried, and what it said is told."""
    ray = SlowRay(fails=1)
    monkeypatch.setitem(__import__("sys").modules, "ray", ray)
    assert ray_engine._connect("", 2) is ray
    assert [more["address"] for more in ray.asked] == ["local", "local"]
    for address, tries in (("", 2), ("auto", 1)):
        ray = SlowRay(fails=9)
        monkeypatch.setitem(__import__("sys").modules, "ray", ray)
        with pytest.raises(WorkerError, match="no cluster of Ray answers") as caught:
            ray_engine._connect(address, None)
        assert len(ray.asked) == tries
        assert caught.value.seen == "RuntimeError: The current node timed out during startup."


def test_without_ray_its_extra_is_named(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ray is not installed the error says how it is."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match="the extra 'ray'"):
        list(RayEngine()(iter([]), rows))
