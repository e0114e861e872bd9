"""Networks of one's own: lists of layers, and torch modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import digitlens as dl
from digitlens.data import DataSplits
from digitlens.errors import UsageError
from digitlens.explain import explain
from digitlens.models.convert import load_network
from digitlens.models.own import add_dropout, adopt, build_layers


class Chain(nn.Module):
    """A network as tutorials write it, with functions between the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Sequential(nn.Linear(4 * 14 * 14, 12), nn.Tanh(), nn.Dropout(0.1))
        self.out = nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the log-probabilities."""
        x = F.max_pool2d(F.relu(self.norm(self.conv1(x))), 2)
        x = F.dropout(x.view(x.size(0), -1), 0.2)
        return F.log_softmax(self.out(self.fc(x)), dim=1)


class Branched(Chain):
    """One with a shortcut."""

    def forward(self, x: Tensor) -> Tensor:
        """Add two ways."""
        flat = torch.flatten(x, 1)
        return self.out(flat[:, :12] + flat[:, 12:24])


@pytest.mark.parametrize("what", ["layers", "module", "tanh", "sigmoid", "none"])
def test_a_network_of_ones_own_is_one_like_the_others(
    tmp_path: Path, make_data: Callable[..., DataSplits], what: str
) -> None:
    """It is trained, exported, evaluated, explained and loaded again, and answers alike."""
    data = make_data(train=240, validation=60, test=60)
    out = tmp_path / "run"
    if what == "module":
        run = dl.train(Chain(), data, epochs=2, dropout=0.1, out=out)
    else:
        spec = (
            "conv4,pool,conv6x5/2,drop0.2,dense16"
            if what == "layers"
            else "conv3x5,pool,dense9"
        )
        name = None if what == "layers" else what
        run = dl.train("custom", data, layers=spec, activation=name, epochs=2, out=out)
        kinds = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "none": nn.Identity}
        assert type(run.network[1]) is kinds.get(what, nn.ReLU)
    assert run.model.card.network == "custom"
    assert dl.evaluate(run, data).count == 60
    assert explain(run.folder, data.test[0][0], gradients=False).maps
    pixels = torch.from_numpy(data.test.images)[:, None].float() / 255
    with torch.inference_mode():
        for network in (run.network, load_network(run.folder, "custom")):
            torch.testing.assert_close(
                network(pixels).softmax(1),
                torch.from_numpy(run.model.predict(data.test.images).probabilities),
                atol=1e-4,
                rtol=1e-3,
            )


def test_an_activation_is_of_ones_own_layers_and_known(in_tmp: Path) -> None:
    """Another network's is refused, and so is an unknown one, before data are read."""
    with pytest.raises(UsageError, match="your own"):
        dl.train("dense", "no such data", activation="tanh")
    with pytest.raises(UsageError, match="'swish' is no activation"):
        dl.train("custom", "no such data", layers="dense8", activation="swish")
    assert not list(in_tmp.iterdir())


def test_the_weights_of_a_module_are_those_that_are_trained(
    tmp_path: Path, make_data: Callable[..., DataSplits]
) -> None:
    """Afterwards the module itself holds the trained weights."""
    module = nn.Sequential(nn.Linear(784, 8), nn.ReLU(), nn.Linear(8, 10), nn.Softmax(1))
    before = module[0].weight.detach().clone()
    run = dl.train(module, make_data(train=100), epochs=1, out=tmp_path / "run")
    assert not torch.equal(module[0].weight, before)
    torch.testing.assert_close(run.network[1].weight, module[0].weight)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (
            nn.Sequential(nn.Conv2d(1, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(2704, 10)),
            "GELU",
        ),
        (nn.Sequential(nn.Flatten(), nn.LSTM(784, 10)), "LSTM"),
        (
            nn.Sequential(nn.Flatten(), nn.ReLU(), nn.BatchNorm1d(784), nn.Linear(784, 10)),
            "Norm",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 4, 3, dilation=2), nn.Flatten(), nn.Linear(9, 10)),
            "Conv2d",
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 7)), r"10 logits"),
        (nn.Sequential(nn.Flatten(), nn.Linear(99, 10)), r"must take \(N, 1, 28, 28\)"),
        (Branched(), "without branches"),
    ],
)
def test_what_cannot_be_exported_is_told_before_training(
    in_tmp: Path, module: nn.Module, words: str
) -> None:
    """A layer without a rule, a branch or another shape is an error; no folder is made."""
    with pytest.raises(UsageError, match=words):
        dl.train(module, "no such data")
    assert not list(in_tmp.iterdir())


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("", "'' is no layer"),
        ("conv", "'conv' is no layer"),
        ("conv16,lstm8", "'lstm8' is no layer"),
        ("dense8,conv4", "before the dense layers"),
        ("pool,pool,pool,pool,pool", "must fit"),
        ("conv0", "sizes of 1"),
        ("conv9999,conv9999", "too large"),
    ],
)
def test_a_list_of_layers_that_cannot_be_is_explained(spec: str, words: str) -> None:
    """Each mistake names the layer."""
    with pytest.raises(UsageError, match=words):
        build_layers(spec)


def test_dropout_stands_behind_dense_layers_only() -> None:
    """Values of hidden dense layers are left out, pixels and logits never."""
    network = add_dropout(build_layers("conv4,pool,dense8,dense6"), 0.5)
    kinds = [type(layer).__name__ for layer in network]
    assert kinds[3:] == ["Flatten", *["Linear", "ReLU", "Dropout"] * 2, "Linear"]


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": 0.0},
        {"batch": 0},
        {"dropout": 1.0},
        {"optimizer": "lion"},
        {"augment": "wild"},
    ],
)
def test_values_that_cannot_be_are_refused_first(options: dict[str, object]) -> None:
    """A value outside its range is an error before any data are read."""
    with pytest.raises(UsageError):
        dl.train("dense", "no such data", **options)  # type: ignore[arg-type]


def test_a_module_is_taken_as_it_is() -> None:
    """Dense layers alone get a Flatten; the layers are the module's own."""
    module = nn.Sequential(nn.Linear(784, 10))
    network = adopt(module)
    assert isinstance(network[0], nn.Flatten)
    assert network[1] is module[0]
