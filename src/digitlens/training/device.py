"""The machine that trains: device, precision, memory, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import FrameType
from typing import Self

import torch


@dataclass(frozen=True)
class Device:
    """A processor or a graphics card, and the number format of its products."""

    kind: str  # "cpu" or "cuda"
    bf16: bool  # whether products are taken in bfloat16; sums and weights stay float32
    name: str  # what the machine calls it

    def precision(self) -> AbstractContextManager[object]:
        """Return the context in which a forward pass is to run."""
        if self.bf16:
            return torch.autocast(self.kind, torch.bfloat16)
        return contextlib.nullcontext()

    def __str__(self) -> str:
        return f"{self.name}, {'bf16' if self.bf16 else 'fp32'}"


def choose_device() -> Device:
    """Return the graphics card where there is one, else the processor."""
    if torch.cuda.is_available():
        # The same seed must give the same weights; a few per cent of speed is the price.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
        return Device("cuda", torch.cuda.is_bf16_supported(), torch.cuda.get_device_name())
    threads = torch.get_num_threads()
    return Device("cpu", _processor_has_bf16(), f"processor, {threads} threads")


@contextlib.contextmanager
def flush_denormals() -> Iterator[None]:
    """Round numbers too small to be normal to zero inside the ``with`` block.

    The moments of weights that no digit lights die away, and arithmetic on such remains is
    many times slower: it more than doubled the time of late epochs.
    """
    tiny = sys.float_info.min / 2
    before = tiny * 1.0 == 0.0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _processor_has_bf16() -> bool:
    # Without the instruction oneDNN emulates bf16, which is slower than fp32.
    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check is not None and check())


def stop_signals() -> list[signal.Signals]:
    """Return the signals that ask to stop; Windows has Ctrl-Break for other processes."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


class GracefulInterrupt:
    """Note a first Ctrl-C or SIGTERM in `requested` while entered; a second one acts at once.

    Signals reach the main thread alone; in any other thread this does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                number: signal.signal(number, self._note) for number in stop_signals()
            }
        return self

    def __exit__(self, *_error: object) -> None:
        self._restore()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}
