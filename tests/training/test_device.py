"""Where training runs, and the state that it leaves the processor in."""

from __future__ import annotations

import sys

import torch

from digitlens.training.device import Device, choose_device, flush_denormals


def halved() -> float:
    """Return half of the smallest normal number, worked out now."""
    smallest = torch.tensor(sys.float_info.min, dtype=torch.float64)
    return float(smallest / 2)


def test_tiny_numbers_come_back_after_training() -> None:
    """Inside they are zero, afterwards arithmetic is as exact as before."""
    assert halved() > 0
    with flush_denormals():
        assert halved() == 0
        with flush_denormals():
            pass
        assert halved() == 0
    assert halved() > 0


def test_the_device_says_what_it_is() -> None:
    """The words in the progress line and config.toml name the device and its precision."""
    assert str(Device("cuda", True, "Card")) == "Card, bf16"
    assert str(Device("cpu", False, "processor, 2 threads")) == "processor, 2 threads, fp32"
    assert choose_device().kind in ("cpu", "cuda")


def test_fp32_is_left_alone() -> None:
    """Without bf16 a forward pass runs in the format of its weights."""
    layer = torch.nn.Linear(2, 2)
    with Device("cpu", False, "p").precision():
        assert layer(torch.ones(1, 2)).dtype == torch.float32
    with Device("cpu", True, "p").precision():
        assert layer(torch.ones(1, 2)).dtype == torch.bfloat16
