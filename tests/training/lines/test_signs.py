"""The network that tells signs apart learns, and its run is like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from digitlens.errors import UsageError
from digitlens.models.recipe import SIGN_RECIPE
from digitlens.ocr.network import SignRecognizer
from digitlens.synth.text_lines import DIGIT, LETTER, MARK, NO_DIGIT
from digitlens.training import sign_task, train_reader
from digitlens.training.sign_data import SignBatch, label_columns
from digitlens.training.sign_task import count_sign_errors, sign_loss

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from digitlens.data import DataSplits


def test_the_loss_knows_what_is_only_no_digit() -> None:
    """Frames without ink count nothing; what is no digit asks only for that."""
    logits = torch.zeros(1, 4, 5)
    logits[0, :, 1] = 9.0
    letters = torch.tensor([[2, 2, 0, NO_DIGIT]])
    assert float(sign_loss(logits, letters)) < 0.01
    digits = torch.tensor([[1, 1, 0, 0]])
    assert float(sign_loss(logits, digits)) > 5


def test_errors_are_counted_over_ink() -> None:
    """A frame is wrong where its sign is another, or is a digit and should be none."""

    class Letters(torch.nn.Module):
        def forward(self, strips: torch.Tensor) -> torch.Tensor:
            """Say that all are letters."""
            answer = torch.zeros(len(strips), strips.shape[3] // 2, 5)
            answer[:, :, 1] = 1.0
            return answer

    signs = np.array([[2, 2, 1, 0, NO_DIGIT, 5]], np.uint8)
    batch = SignBatch(np.zeros((1, 1, 32, 12), np.float16), signs)
    assert count_sign_errors(Letters(), [batch]) == (2, 5)


def test_a_run_leaves_a_network_that_reading_takes(
    tmp_path: Path, make_data: Callable[..., DataSplits], monkeypatch: pytest.MonkeyPatch
) -> None:
    """train_reader("signs") writes a run folder whose model says five things of each frame."""
    fonts = [cv2.FONT_HERSHEY_SIMPLEX]
    monkeypatch.setattr(sign_task, "list_fonts", lambda: (fonts, fonts))
    monkeypatch.setattr(sign_task, "add_pen_digits", lambda digits: digits)
    monkeypatch.setattr(sign_task, "VALIDATION_LINES", 8)
    recipe = replace(SIGN_RECIPE.fit_to(2), batch=1, eval_every=2)
    run = train_reader(
        "signs",
        make_data(train=100, validation=40),
        recipe=recipe,
        steps=2,
        out=tmp_path / "signs-1",
        writers=0,
    )
    assert run.history[-1].validation > 50
    path = run.folder / "model.onnx"
    network = SignRecognizer(path, path.read_bytes())
    probs = np.exp(network.log_probs(np.full((40, 100), 200, np.uint8)))
    assert probs.shape == (40, 5)
    assert np.allclose(probs.sum(axis=1), 1, atol=1e-5)


def test_it_goes_on_from_nothing(tmp_path: Path) -> None:
    """A network to go on from is refused, not passed over."""
    with pytest.raises(UsageError, match="goes on from no other network"):
        train_reader("signs", start="signs", steps=2, out=tmp_path / "signs-1")
    assert not list(tmp_path.iterdir())


def test_a_frame_has_the_sign_of_most_of_its_ink() -> None:
    """Frames without ink have none; the others that of their ink."""
    gray, signs = np.full((32, 40), 255, np.uint8), np.zeros((32, 40), np.uint8)
    gray[4:28, 8:16], signs[4:28, 8:16] = 0, DIGIT
    gray[4:28, 24:32], signs[4:28, 24:32] = 0, LETTER
    signs[4:8, 24:32] = MARK
    answer = label_columns(gray, signs).signs
    assert answer.tolist() == [0] * 4 + [DIGIT] * 4 + [0] * 4 + [LETTER] * 4 + [0] * 4
