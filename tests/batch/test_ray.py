"""Parts as tasks of Ray: what is lost is tried again, and what kills is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from digitlens.batch import Item, LocalEngine, Rows, list_items, ray_engine
from digitlens.batch.ray_engine import RayEngine
from digitlens.cli.doctor import GOLDEN
from digitlens.errors import MissingExtraError, ModelError


class FakeRay:
    """Does tasks when they are asked for, as Ray does; some lose their process.

    lost: the tasks, counted from 0, whose machine is lost
    deadly: a name of pictures that kill their process each time
    """

    class RayError(Exception):
        """As Ray's."""

    class RayTaskError(RayError):
        """As Ray's: what a task raised."""

        def __init__(self, cause: Exception) -> None:
            self.cause = cause

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, lost: set[int] = frozenset(), deadly: str = "-") -> None:  # type: ignore[assignment]
        self.lost, self.deadly, self.asked = lost, deadly, 0
        self.cancelled: list[Any] = []

    def cluster_resources(self) -> dict[str, float]:
        """Two processors."""
        return {"CPU": 2.0}

    def remote(self, **_: Any) -> Callable[..., Any]:
        """Return what makes a task of a function."""
        return lambda function: SimpleNamespace(
            remote=lambda *arguments: (function, arguments, next_number(self))
        )

    def wait(self, tasks: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        """Say that the last task is ready first."""
        return tasks[-1:], tasks[:-1]

    def get(self, task: Any) -> Any:
        """Do a task."""
        function, (rows, items), number = task
        if number in self.lost or any(self.deadly in item.name for item in items):
            raise self.RayError
        try:
            return function(rows, items)
        except Exception as error:
            raise self.RayTaskError(error) from error

    def cancel(self, task: Any, **_: Any) -> None:
        """Keep what was cancelled."""
        self.cancelled.append(task)


def next_number(ray: FakeRay) -> int:
    """Return the number of a task."""
    ray.asked += 1
    return ray.asked - 1


def _parts(count: int = 10, size: int = 4) -> list[tuple[int, list[Item]]]:
    items = [Item(Path(f"{index}.png"), f"{index}.png", "") for index in range(count)]
    return [(start // size, items[start : start + size]) for start in range(0, count, size)]


def _run(ray: FakeRay, rows: Any, monkeypatch: pytest.MonkeyPatch) -> dict[int, list[Any]]:
    monkeypatch.setattr(ray_engine, "_connect", lambda *_: ray)
    result = list(RayEngine()(iter(_parts()), rows))
    assert len(result) == len(dict(result)), "each part once"
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


def test_what_takes_too_long_costs_its_row(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that hangs is ended, and its pictures are tried in pieces."""
    ray = FakeRay()
    monkeypatch.setattr(ray_engine, "_connect", lambda *_: ray)
    monkeypatch.setattr(FakeRay, "wait", lambda *_, **__: ([], []))
    ((part, made),) = RayEngine(limit=-1.0)(iter(_parts(count=2)), rows)
    assert (part, [row["kind"] for row in made]) == (0, ["too-slow", "too-slow"])
    assert ray.cancelled


def test_a_fault_of_all_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is none is the error it is; what still runs is cancelled."""
    ray = FakeRay()
    with pytest.raises(ModelError, match=r"none\.onnx"):
        _run(ray, Rows("predict", "none.onnx"), monkeypatch)
    assert ray.cancelled


def test_without_ray_its_extra_is_named(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ray is not installed the error says how it is."""
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match="the extra 'ray'"):
        list(RayEngine()(iter([]), rows))


@pytest.mark.slow
def test_ray_itself_gives_the_same_bytes(write_digit: Callable[[str], Path]) -> None:
    """A cluster of this machine makes the rows that a process here makes."""
    ray = pytest.importorskip("ray")
    for index in range(6):
        write_digit(f"m/{index}.png")
    Path("m/2.png").write_bytes(b"no picture")
    items = list(list_items([str(Path("m").absolute())]))
    parts, rows = [(0, items[:4]), (1, items[4:])], Rows("predict", GOLDEN, flat=False)
    try:
        result = dict(RayEngine(workers=2)(iter(parts), rows))
    finally:
        ray.shutdown()
    assert result == dict(LocalEngine(1)(iter(parts), rows))
