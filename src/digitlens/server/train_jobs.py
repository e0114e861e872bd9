"""One training run at a time, in a process of its own; any number of clients follow it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from digitlens.errors import RunError
from digitlens.models.registry import find_network
from digitlens.runs import CONFIG, LOCK, claim_run_folder
from digitlens.server.http_errors import UnknownError, problem_details, unexpected_error
from digitlens.server.networks import USER_DIGITS, check_source, find_run
from digitlens.server.schemas import TrainState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from digitlens.errors import DigitlensError
    from digitlens.server.schemas import TrainWish
    from digitlens.server.settings import ServerSettings


WORKER = (sys.executable, "-m", "digitlens.server.train_worker")

# Events after which nothing more comes.
FINAL_EVENTS = ("end", "stopped", "failed")
# A training process is given this time to save and end; it is killed then.
STOP_SECONDS = 20.0

MAX_LINE_BYTES = 1 << 20


class TrainingJobs:
    """The training of one lab: one run at a time; `command` starts the process that trains."""

    def __init__(self, settings: ServerSettings, command: tuple[str, ...] = WORKER) -> None:
        self._settings = settings
        self.command = command
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._is_starting = False
        self._is_closed = False
        self.run = ""
        self.request: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []

    @property
    def running(self) -> bool:
        """Whether a network is being trained; not while the process only ends."""
        has_ended = bool(self.events) and self.events[-1]["event"] in FINAL_EVENTS
        return self._reader is not None and not self._reader.done() and not has_ended

    def describe(self) -> TrainState:
        """Return the newest run of this lab and its events; of its steps only the last."""
        steps: list[Any] = [event for event in self.events if event["event"] == "step"]
        others: list[Any] = [
            event for event in self.events if event["event"] not in ("step", "past")
        ]
        last_step = steps[-1] if steps else None
        about = (self.running, self.run or None, self.request or None)
        return TrainState(*about, last_step, others)

    async def begin(self, request: TrainWish, start_path: str | None = None) -> str:
        """Begin to train and return the run's name.

        request: what to train
        start_path: the network to go on from, as `digitlens.train` takes it

        Raises UsageError: no such network or data; MissingDataError: the data are not on this
        machine; RunError: another run is under way; StorageError: the run's folder cannot be
        made.
        """
        # check -> claim a folder -> start the process
        if request.resume is None:
            find_network(request.network)
            check_source(request.data, self._settings.user_digits)
        if self.running or self._is_starting:
            raise RunError(
                "one network is trained at a time",
                seen=f"{self.run} is under way",
                try_="wait for it to end, or stop it",
            )
        self._is_starting = True
        try:
            # The last process may still be ending: its events must not be taken for ours.
            await self.wait()
            runs = self._settings.runs
            if request.resume is None:
                folder = claim_run_folder(request.network, None, runs=runs)
            else:
                folder = find_run(runs, request.resume)
            self.run, self.events = folder.name, []
            self.request = request.model_dump(by_alias=True)
            own = request.data == USER_DIGITS
            source = str(self._settings.user_digits) if own else request.data
            await self._start_process(
                self.request | {"data": source, "start": start_path, "out": str(folder)}
            )
        finally:
            self._is_starting = False
        return self.run

    async def _start_process(self, order: dict[str, Any]) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_LINE_BYTES,
            **own_group(),
        )
        assert self._process.stdin is not None, "a pipe was asked for"
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.close()
        self._reader = asyncio.create_task(self._read_events(self._process))

    def check_idle(self, run: str) -> None:
        """Raise RunError where `run` is being trained here."""
        if self.running and run == self.run:
            raise RunError(f"{run} is being trained", seen="it is under way", try_="stop it")

    async def wait(self) -> None:
        """Wait until the process of the newest run has ended, if there was one."""
        if self._reader is not None:
            await self._reader

    async def stop(self, run: str) -> None:
        """Ask the run under way to save and end; its events tell when it has.

        Raises UnknownError: that run is not under way.
        """
        if not self.running or run != self.run:
            raise UnknownError(f"{run[:64]} is not being trained")
        self._send_stop()

    def _send_stop(self) -> None:
        assert self._process is not None, "it is running"
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(stop_signal())

    async def close(self) -> None:
        """Stop what is under way, and wait until it is saved."""
        if self._reader is None or self._reader.done() or self._process is None:
            return
        self._send_stop()
        done, _ = await asyncio.wait({self._reader}, timeout=STOP_SECONDS)
        # It did not save in time: the last checkpoint stays.
        if not done:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._reader

    async def subscribe(
        self, run: str, after: int = 0, *, silence: float = 15.0
    ) -> AsyncIterator[tuple[int, dict[str, Any]] | None]:
        """Yield the events of `run`, earlier ones first, each with its number, from 1.

        It ends with the run's last event, or when the lab closes. Of the steps so far only
        the last is repeated. Yields None when nothing has happened for `silence` seconds.
        """
        # Numbers are positions in the list: a client that reconnects says how many it has.
        index = min(after, len(self.events))
        while run == self.run and not self._is_closed:
            while index < len(self.events):
                index += 1
                event = self.events[index - 1]
                is_old_step = event["event"] == "step" and index < len(self.events)
                if is_old_step or event["event"] == "past":
                    continue  # a newer event is here already
                yield index, event
                if event["event"] in FINAL_EVENTS:
                    return
            if not self.running:
                return
            is_quiet = False
            async with self._changed:
                # Only now, under the lock, is it certain that no event came in between.
                if index >= len(self.events) and run == self.run and not self._is_closed:
                    try:
                        async with asyncio.timeout(silence):
                            await self._changed.wait()
                    except TimeoutError:
                        is_quiet = True
            if is_quiet:
                yield None

    async def close_streams(self) -> None:
        """End all subscriptions: the lab ends, and would wait for them."""
        async with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def is_over(self, after: int) -> bool:
        """Say whether no event will follow number `after`."""
        return not self.running and after >= len(self.events)

    def check_newest(self, run: str) -> None:
        """Raise UnknownError where `run` is not the newest one."""
        if not run or run != self.run:
            raise UnknownError(
                f"{run[:64]} is not the run that this lab began last",
                seen=self.run or "none was begun",
                try_=f"/v1/runs/{run[:64]} tells how an earlier one went",
            )

    async def _read_events(self, process: asyncio.subprocess.Process) -> None:
        """Take the worker's lines until it ends; a worker that dies silently has failed."""
        assert process.stdout is not None, "a pipe was asked for"
        try:
            async for line in process.stdout:
                await self._publish(json.loads(line))
        except ValueError as error:  # a line that is too long, or no JSON
            await self._publish(describe_failure(unexpected_error(error)))
            process.kill()
        code = await process.wait()
        if not self.events or self.events[-1]["event"] not in FINAL_EVENTS:
            silence = RunError(
                f"training {self.run} ended without a word",
                seen=f"exit code {code}",
                likely="it was killed, perhaps for want of memory" if code < 0 else None,
            )
            await self._publish(describe_failure(silence))
        self._remove_empty_folder()

    def _remove_empty_folder(self) -> None:
        """Remove the folder of a run that failed before it wrote anything."""
        folder = self._settings.runs / self.run
        if not (folder / CONFIG).exists():
            with contextlib.suppress(OSError):
                (folder / LOCK).unlink(missing_ok=True)
                folder.rmdir()

    async def _publish(self, event: dict[str, Any]) -> None:
        async with self._changed:
            # Only the newest weights are kept: they are many numbers.
            if event["event"] == "weights":
                old = [item for item in self.events if item["event"] == "weights"]
                for item in old:
                    item.clear()
                    item["event"] = "past"
            self.events.append(event)
            self._changed.notify_all()


def describe_failure(error: DigitlensError) -> dict[str, Any]:
    """Return the last event of a run that failed."""
    return {"event": "failed", "problem": problem_details(error)}


def own_group() -> dict[str, Any]:
    """Return how a process is begun that Ctrl-C in the terminal does not reach: the lab alone
    hears it, and then stops the process."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def stop_signal() -> int:
    """Return the signal that asks such a process to save and end: on Windows SIGTERM kills."""
    if sys.platform == "win32":
        return signal.CTRL_BREAK_EVENT
    return signal.SIGTERM
