"""What a line reader learns from."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from digitlens.ctc.decode import decode
from digitlens.ctc.forward import string_probabilities
from digitlens.ctc.probs import to_probs
from digitlens.training.line_data import UNKNOWN
from digitlens.training.line_task import LineTensors, best_path, line_loss


def lesson(texts: list[str], frames: list[int], centres: torch.Tensor) -> LineTensors:
    """Return a lesson of these texts; its strips do not matter."""
    digits = [int(digit) for digit in "".join(texts)]
    return LineTensors(
        torch.zeros(len(texts), 1, 32, 4),
        torch.tensor(digits, dtype=torch.int64),
        torch.tensor([len(text) for text in texts]),
        torch.tensor(frames),
        centres,
    )


def test_it_is_the_probability_of_the_string() -> None:
    """A line's loss is -ln of what `reading` gives as its probability, over its digits."""
    torch.manual_seed(0)
    logits = torch.randn(2, 9, 11)
    texts, frames = ["4410", "7"], [9, 6]
    unknown = torch.full((2, 9), UNKNOWN)
    result = float(line_loss(logits, lesson(texts, frames, unknown), 0.0))
    wanted = []
    for row, text, count in zip(logits, texts, frames, strict=True):
        rows = to_probs(row[:count].double().log_softmax(1).numpy())
        wanted.append(-math.log(string_probabilities(rows, [text])[0]) / len(text))
    assert result == pytest.approx(np.mean(wanted), rel=1e-5)


def test_frames_at_centres_are_learnt_with_their_share() -> None:
    """The loss over frames is the mean of -ln P over known centres, times its share."""
    torch.manual_seed(0)
    logits = torch.randn(1, 6, 11)
    centres = torch.full((1, 6), UNKNOWN)
    centres[0, 1], centres[0, 4] = 4, 7
    given = lesson(["47"], [6], centres)
    log_probs = logits.log_softmax(2)[0]
    frames = -float(log_probs[1, 4] + log_probs[4, 7]) / 2
    more = float(line_loss(logits, given, 0.5)) - float(line_loss(logits, given, 0.0))
    assert more == pytest.approx(0.5 * frames, rel=1e-4)


def test_a_batch_without_digits_has_a_loss() -> None:
    """Where no line shows a digit, blanks are learnt, and the loss is finite."""
    logits = torch.randn(2, 5, 11, requires_grad=True)
    given = lesson(["", ""], [5, 4], torch.full((2, 5), UNKNOWN))
    loss = line_loss(logits, given, 1.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[1, 4].any(), "padding teaches nothing"


def test_a_string_that_does_not_fit_teaches_nothing() -> None:
    """More digits than frames: no infinite loss, and no gradient."""
    logits = torch.randn(1, 3, 11, requires_grad=True)
    loss = line_loss(logits, lesson(["12345"], [3], torch.full((1, 3), UNKNOWN)), 0.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_best_path_is_the_string_where_frames_are_sure() -> None:
    """On sharp frames the best path is what a search over alignments finds."""
    rows = torch.tensor([[10, 0, 0, 10, 0, 10, 9, 1, 1, 10], [5, 10, 5, 5, 10, 8, 8, 8, 2, 10]])
    logits = 12 * torch.eye(11)[rows]
    texts = best_path(logits, torch.tensor([10, 10]))
    assert texts == ["0091", "5582"]
    for row, text in zip(logits, texts, strict=True):
        best = decode(to_probs(row.log_softmax(1).numpy())).best
        assert best is not None
        assert best.text == text
