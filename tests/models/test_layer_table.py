"""What the layers of a network come to."""

from __future__ import annotations

import pytest
from torch import nn

from digitlens.models.layer_table import summarize


@pytest.mark.parametrize("training", [True, False])
def test_a_network_keeps_its_mode(training: bool) -> None:
    """It can be trained on after it was looked at."""
    network = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(784, 10)).train(training)
    assert [row.weights for row in summarize(network, name="own").rows] == [0, 0, 7850]
    assert network.training is training
    assert network[1].training is training


def test_a_layer_that_is_held_fixed_stays_so() -> None:
    """Each layer has a mode of its own, and keeps it."""
    network = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(784, 10)).train()
    network[1].eval()
    summarize(network, name="own")
    assert [layer.training for layer in network] == [True, False, True]
