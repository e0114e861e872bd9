"""One training run at a time: begun, followed by as many as like, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

from digitlens.errors import RunError
from digitlens.models.registry import find_network
from digitlens.runs import CONFIG, LOCK, claim_run_folder
from digitlens.server.http_errors import UnknownError, problem_of, unexpected
from digitlens.server.networks import OWN, check_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from digitlens.server.settings import ServerSettings


TRAINEE = (sys.executable, "-m", "digitlens.server.train_worker")

LAST = ("end", "stopped", "failed")
"""Events after which nothing more comes."""

PATIENCE = 20.0
"""Seconds that a training process is given to save and end; it is killed then."""

LONGEST_LINE = 1 << 20


class TrainingJobs:
    """The training of one lab.

    Parameters
    ----------
    settings
        Where runs go, and where own digits lie.
    command
        What trains; another one in tests.
    """

    def __init__(self, settings: ServerSettings, command: tuple[str, ...] = TRAINEE) -> None:
        self._settings = settings
        self.command = command
        self._process: asyncio.subprocess.Process | None = None
        self._follower: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._beginning = False
        self._hung_up = False
        self.run = ""
        self.wish: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []

    @property
    def running(self) -> bool:
        """Whether a network is being trained now; not while its process only goes away."""
        told = bool(self.events) and self.events[-1]["event"] in LAST
        return self._follower is not None and not self._follower.done() and not told

    def as_dict(self) -> dict[str, Any]:
        """Return how it stands: the newest run of this lab, and all that was told of it."""
        kept = [event for event in self.events if event["event"] != "step"]
        steps = [event for event in self.events if event["event"] == "step"]
        return {
            "running": self.running,
            "run": self.run or None,
            "wish": self.wish or None,
            "last_step": steps[-1] if steps else None,
            "events": kept,
        }

    async def begin(
        self,
        network: str,
        data: str,
        *,
        epochs: int | None = None,
        share: float | None = None,
        seed: int = 0,
        start: str | None = None,
        start_path: str | None = None,
    ) -> str:
        """Begin to train and return the run's name.

        Parameters
        ----------
        data
            A name of `load_digits`, or ``"own"``.
        start, start_path
            The network to go on from: its name, and where it lies.

        Raises
        ------
        UsageError
            No such network or data.
        MissingDataError
            The data are not on this machine.
        RunError
            Another run is under way.
        StorageError
            The run's folder cannot be made.
        """
        find_network(network)
        check_source(data, self._settings.own)
        if self.running or self._beginning:
            raise RunError(
                "one network is trained at a time",
                seen=f"{self.run} is under way",
                try_="wait for it to end, or stop it",
            )
        self._beginning = True
        try:
            await self.gone()
            folder = claim_run_folder(network, None, runs=self._settings.runs)
            self.run, self.events = folder.name, []
            self.wish = {"network": network, "data": data, "epochs": epochs, "seed": seed}
            self.wish |= {"share": share, "from": start}
            source = str(self._settings.own) if data == OWN else data
            order = self.wish | {"data": source, "start": start_path, "out": str(folder)}
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
                # Ctrl-C in the terminal goes to the lab, which then stops this process.
                start_new_session=True,
            )
            assert self._process.stdin is not None, "it was asked for"
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.close()
            self._follower = asyncio.create_task(self._follow(self._process))
        finally:
            self._beginning = False
        return self.run

    async def gone(self) -> None:
        """Wait until the process of the newest run has gone, if there was one."""
        if self._follower is not None:
            await self._follower

    async def stop(self, run: str) -> None:
        """Ask the run under way to save and end; it is told among its events.

        Raises
        ------
        UnknownError
            That run is not under way.
        """
        if not self.running or run != self.run:
            raise UnknownError(f"{run[:64]} is not being trained")
        assert self._process is not None, "it is running"
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    async def close(self) -> None:
        """Stop what is under way, and wait for it to save."""
        if self._follower is None or self._follower.done() or self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        done, _ = await asyncio.wait({self._follower}, timeout=PATIENCE)
        if not done:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._follower

    async def follow(
        self, run: str, after: int = 0, *, silence: float = 15.0
    ) -> AsyncIterator[tuple[int, dict[str, Any]] | None]:
        """Tell the events of `run`, those there already first; each with its number, from 1.

        It ends with the run's last event, or when the lab does. Of steps that were told in
        the past only the last is told again. None comes when nothing has for `silence`
        seconds.
        """
        index = min(after, len(self.events))
        while run == self.run and not self._hung_up:
            while index < len(self.events):
                index += 1
                event = self.events[index - 1]
                if event["event"] == "step" and index < len(self.events):
                    continue
                yield index, event
                if event["event"] in LAST:
                    return
            if not self.running:
                return
            quiet = False
            async with self._news:
                if index >= len(self.events) and run == self.run and not self._hung_up:
                    try:
                        async with asyncio.timeout(silence):
                            await self._news.wait()
                    except TimeoutError:
                        quiet = True
            if quiet:
                yield None

    async def hang_up(self) -> None:
        """End what every follower is told: the lab ends, and waits for them."""
        async with self._news:
            self._hung_up = True
            self._news.notify_all()

    def over(self, after: int) -> bool:
        """Say whether nothing comes after event number `after` any more."""
        return not self.running and after >= len(self.events)

    def check(self, run: str) -> None:
        """See that `run` is the newest one.

        Raises
        ------
        UnknownError
            It is not.
        """
        if not run or run != self.run:
            raise UnknownError(
                f"{run[:64]} is not the run that this lab began last",
                seen=self.run or "none was begun",
                try_=f"/v1/runs/{run[:64]} tells how an earlier one went",
            )

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None, "it was asked for"
        try:
            async for line in process.stdout:
                await self._tell(json.loads(line))
        except ValueError as error:  # a line that is too long, or no JSON
            await self._tell({"event": "failed", "problem": problem_of(unexpected(error))})
            process.kill()
        code = await process.wait()
        if not self.events or self.events[-1]["event"] not in LAST:
            silent = RunError(
                f"training {self.run} ended without a word",
                seen=f"exit code {code}",
                likely="it was killed, perhaps for want of memory" if code < 0 else None,
            )
            await self._tell({"event": "failed", "problem": problem_of(silent)})
        self._tidy()

    def _tidy(self) -> None:
        """Remove the folder of a run that came to nothing."""
        folder = self._settings.runs / self.run
        if not (folder / CONFIG).exists():
            with contextlib.suppress(OSError):
                (folder / LOCK).unlink(missing_ok=True)
                folder.rmdir()

    async def _tell(self, event: dict[str, Any]) -> None:
        async with self._news:
            self.events.append(event)
            self._news.notify_all()
