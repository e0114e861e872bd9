"""Work through the parts of a batch: here in processes, or on an engine for many machines."""

from __future__ import annotations

import json
import time
from contextlib import closing
from functools import partial
from importlib.metadata import version
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from digitlens.batch.items import Item
from digitlens.batch.ledger import Claims, Shard
from digitlens.batch.parts import count_rows, encode_rows
from digitlens.storage import storage_errors, write_bytes
from digitlens.workers import available_cpus, run_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator

    from digitlens.batch.ledger import Ledger, Request
    from digitlens.batch.rows import Rows

    Row = dict[str, Any]
    Part = tuple[int, list[Item]]
    PartRows = tuple[int, list[Row]]
    Engine = Callable[[Iterator[Part], Rows], Iterator[PartRows]]


# A picture that takes longer is given up, and its row says so.
ITEM_SECONDS = 60.0
# How long to wait until parts that another driver is at work on are looked at again.
WAIT_SECONDS = 2.0


class Place(NamedTuple):
    """A picture in its part."""

    part: int
    is_last: bool
    item: Item


def run_batch(
    ledger: Ledger,
    rows: Rows,
    engine: Engine,
    *,
    shard: Shard | None = None,
    progress: Callable[[int], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Compute all parts that are not there yet, and return when they are.

    It may be killed at any moment and run again; several may run at once, on one folder: each
    takes parts that no other has, and what one leaves by being killed another does.

    engine: makes the rows of parts; `LocalEngine`, or `ray_engine.RayEngine`
    shard: which of the parts are to be done here; all by default
    progress: is called with the number of pictures of each part that was done here

    Raises StorageError: a part cannot be written; what is there stays; ModelError: the network
    is none; what the engine raises.
    """
    mine = list((shard or Shard()).choose(range(ledger.parts)))
    with closing(Claims(ledger.claims_path)) as claims:
        while True:
            done = ledger.find_done()
            left = [part for part in mine if part not in done]
            if not left:
                return
            worked = False
            for part, made in engine(_claim(ledger, claims, left), rows):
                content = encode_rows(made, ledger.form, rows.columns)
                write_bytes(ledger.part_path(part), content)
                claims.give_back(part)
                progress(ledger.count_items(part))
                worked = True
            if not worked:
                wait(WAIT_SECONDS)


# Kinds of errors that depend on machine, network or hour: a retry may mend them.
RETRIED = ("died", "too-slow", "missing", "missing-extra")


def drop_failed(ledger: Ledger, kinds: Collection[str], shard: Shard | None = None) -> None:
    """Delete the parts that have errors of these kinds, so that the next run makes them anew.

    A part that another driver is at work on stays.

    Raises StorageError: a part cannot be read or deleted.
    """
    with closing(Claims(ledger.claims_path)) as claims:
        for part in (shard or Shard()).choose(sorted(ledger.find_done())):
            if not claims.take(part):
                continue
            path = ledger.part_path(part)
            # Under its lock: a part that another driver has made anew meanwhile stays.
            with storage_errors(path):
                if path.exists() and count_rows(path)[1].keys() & {*kinds}:
                    path.unlink()
            claims.give_back(part)


def _claim(ledger: Ledger, claims: Claims, left: Iterable[int]) -> Iterator[Part]:
    """Yield the parts that nobody else has, each as it is asked for."""
    for part in left:
        if not claims.take(part):
            continue
        # Another driver may have finished it since they were listed.
        if ledger.part_path(part).exists():
            claims.give_back(part)
        else:
            yield part, ledger.read_items(part)


class LocalEngine:
    """Processes of this machine, which a picture can hang or kill at its own cost."""

    def __init__(self, workers: int | None = None, limit: float = ITEM_SECONDS) -> None:
        self._workers, self._limit = workers or available_cpus(), limit

    def __call__(self, parts: Iterator[Part], rows: Rows) -> Generator[PartRows, None, None]:
        """Yield the rows of each part, in order."""
        outcomes = run_in_order(
            chain.from_iterable(_list_places(*part) for part in parts),
            partial(make_rows, rows),
            prepare=partial(_prepare, rows),
            workers=self._workers,
            limit=self._limit,
            ahead=8 * self._workers,
            held=2,
        )
        with closing(outcomes):
            made: list[Row] = []
            for outcome in outcomes:
                place = outcome.task
                if outcome.error is not None:
                    made += rows.error_rows(place.item, outcome.error)
                else:
                    made += outcome.result or []
                if place.is_last:
                    yield place.part, made
                    made = []


def _list_places(part: int, items: list[Item]) -> Iterator[Place]:
    last = len(items) - 1
    return (Place(part, index == last, item) for index, item in enumerate(items))


def make_rows(rows: Rows, place: Place) -> list[Row]:
    """Return the rows of one picture."""
    return rows(place.item)


def _prepare(rows: Rows) -> Callable[[Place], list[Row]]:
    rows.load()
    return partial(make_rows, rows)


def make_request(
    rows: Rows,
    inputs: Iterable[str],
    *,
    form: str = "jsonl",
    part_size: int = 500,
    recursive: bool = False,
    column: str = "",
) -> Request:
    """Return what decides every byte of a batch, as plain values that JSON keeps.

    The network counts by its bytes, digitlens by its version.
    """
    values = rows.describe() | {
        "inputs": list(inputs),
        "recursive": recursive,
        "column": column,
        "form": form,
        "part_size": part_size,
        "digitlens": version("digitlens"),
    }
    kept: Request = json.loads(json.dumps(values))
    return kept
