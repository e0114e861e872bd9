"""Where training runs and in which precision."""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Device:
    """A processor or a graphics card, and the number format of its products.

    Parameters
    ----------
    kind
        "cpu" or "cuda".
    bf16
        Whether products are taken in bfloat16; sums and weights stay float32.
    name
        What the machine calls it.
    """

    kind: str
    bf16: bool
    name: str

    def precision(self) -> AbstractContextManager[object]:
        """Return the context in which a forward pass is to run."""
        if self.bf16:
            return torch.autocast(self.kind, torch.bfloat16)
        return contextlib.nullcontext()

    def __str__(self) -> str:
        return f"{self.name}, {'bf16' if self.bf16 else 'fp32'}"


def choose() -> Device:
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
def tiny_is_zero() -> Iterator[None]:
    """While entered, take numbers too small to be normal for zero; then as before.

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
