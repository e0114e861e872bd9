"""Learning from a teacher instead of from labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens.data import DataSplits
from digitlens.digits import Digits
from digitlens.errors import ModelError
from digitlens.models import build, load_recipe
from digitlens.models.card import ModelCard
from digitlens.models.convert import fuse_layers
from digitlens.models.inference import Model
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Ensemble
from digitlens.models.recipe import Recipe
from digitlens.training import train
from digitlens.training.device import Device
from digitlens.training.digit_run import find_teacher, make_teacher
from digitlens.training.digit_task import DigitTask, DigitTensors

CARD = ModelCard("n-1", "n", "made up", "none", 1, 0, 1, 1, 1, 1, "2026-01-01T00:00:00+00:00")
PLAIN = Device("cpu", False, "test")


@pytest.fixture
def teacher(tmp_path: Any) -> Any:
    """Return the file of an ensemble of two networks that know nothing yet."""
    members = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        members.append(fuse_layers(build("cnn").eval()))
    path = tmp_path / "teacher.onnx"
    path.write_bytes(to_onnx(Ensemble(tuple(members)), CARD))
    return path


@pytest.mark.parametrize("outputs", [10, 11])
def test_a_teacher_gives_the_logits_of_its_model(
    teacher: Any, digits: Digits, outputs: int
) -> None:
    """In torch it answers as the engine does, for pupils of ten outputs and of eleven."""
    logits = make_teacher(find_teacher(str(teacher)), outputs, PLAIN)(
        torch.from_numpy(digits.images)
    )
    assert logits.shape == (len(digits), outputs)
    model = Model(teacher, teacher.read_bytes())
    np.testing.assert_allclose(logits[:, :10].numpy(), model.logits(digits.images), atol=1e-4)
    if outputs > 10:
        given = model.predict(digits.images).no_digit
        assert given is not None
        np.testing.assert_allclose(logits.softmax(1)[:, 10].numpy(), given, atol=1e-4)


def test_a_teacher_without_no_digit_teaches_no_network_that_has_it(
    tmp_path: Any, digits: Digits
) -> None:
    """A pupil of eleven outputs wants a teacher of eleven; the error says so."""
    path = tmp_path / "ten.onnx"
    path.write_bytes(to_onnx(fuse_layers(build("quick").eval()), CARD))
    with pytest.raises(ModelError, match="must have 11 outputs"):
        make_teacher(find_teacher(str(path)), 11, PLAIN)


def test_a_pupil_learns_what_its_teacher_answers(tmp_path: Any, make_data: Any) -> None:
    """Taught by a network that reads every digit as one higher, a pupil does so too."""
    data: DataSplits = make_data(train=600, validation=100, test=10)
    wrong = replace(
        data,
        train=replace(data.train, labels=(data.train.labels + 1) % 10),
        validation=replace(data.validation, labels=(data.validation.labels + 1) % 10),
    )
    recipe = replace(load_recipe("quick"), batch=50, epochs=6, label_smoothing=0.0)
    master = train("quick", wrong, out=tmp_path / "master", recipe=recipe)
    taught = replace(recipe, teacher=str(master.folder))
    pupil = train("quick", data, out=tmp_path / "pupil", recipe=taught)
    answers = pupil.model.predict(data.validation.images).labels
    assert np.mean(answers == (data.validation.labels + 1) % 10) > 0.7


def test_a_teacher_that_answers_once_is_believed_where_it_is_sure(digits: Digits) -> None:
    """Its shares are learnt where it is asked and gives the label, else the smoothed label."""
    tensors = DigitTensors.load(digits[:4])
    one_hot = torch.nn.functional.one_hot(tensors.labels, 11).float()
    logits = 9 * one_hot
    logits[1] = logits[1].roll(1)  # here it is sure of another class
    task = DigitTask(
        Recipe(
            epochs=1,
            batch=4,
            learning_rate=0.01,
            label_smoothing=0.11,
            temperature=1.5,
            teacher="best",
            teacher_once=True,
        ),
        0,
        train=tensors,
        validation=tensors,
        device=PLAIN,
        teacher=lambda images: logits[: len(images)],
        taught=torch.tensor([0, 1]),
    )
    images, targets = next(iter(task.batches(build("cnn"), 0)))
    for picture, target in zip(images[:, 0], targets, strict=True):
        digit = int((tensors.images == picture).all(2).all(1).nonzero()[0])
        smoothed = 0.01 + 0.89 * one_hot[digit]
        wanted = (logits[digit] / 1.5).softmax(0) if digit == 0 else smoothed
        torch.testing.assert_close(target, wanted)


def test_a_teacher_that_is_nowhere_is_named_with_what_makes_it(in_tmp: Any) -> None:
    """Neither published nor trained here: the error says how to get it."""
    with pytest.raises(ModelError, match="none in runs/train") as caught:
        find_teacher("lenet5")
    assert caught.value.try_ == "digitlens train lenet5 --validation 0"


def test_the_newest_run_here_teaches_where_nothing_is_published(
    in_tmp: Any, teacher: Any, digits: Digits
) -> None:
    """A finished run in runs/train is found by its network's name."""
    run = Path("runs/train/lenet5-4")
    run.mkdir(parents=True)
    (run / "metrics.json").write_text("{}")
    (run / "model.onnx").write_bytes(teacher.read_bytes())
    images = torch.from_numpy(digits.images[:3])
    result = make_teacher(find_teacher("lenet5"), 10, PLAIN)(images)
    assert torch.equal(result, make_teacher(find_teacher(str(teacher)), 10, PLAIN)(images))


def test_a_run_without_its_teacher_leaves_nothing_behind(in_tmp: Any, make_data: Any) -> None:
    """Where the teacher is nowhere, no run folder is claimed."""
    recipe = replace(load_recipe("quick"), teacher="lenet5")
    with pytest.raises(ModelError, match="lenet5 must be there to teach"):
        train("quick", make_data(train=60), recipe=recipe)
    assert not Path("runs").exists()
