"""What the parts of a data source are to a network, and how often test digits were opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from digitlens import load_digits, load_model
from digitlens.models.card import ModelCard
from digitlens.server import digit_sets
from digitlens.server.digit_sets import describe_own, describe_parts
from digitlens.server.schemas import Parts


def card(**change: Any) -> ModelCard:
    """Return the card of a run on UCI's digits, changed as wanted."""
    uci = load_digits("uci")
    run = replace(load_model("tiny").card, data="uci", split=uci.split, trained_on=1294)
    return replace(run, **change)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({}, {"test": "no", "validation": "no", "train": "all"}),
        (
            {"split": "nothing is held back for validation", "trained_on": 1438},
            {"test": "no", "validation": "all", "train": "all"},
        ),
        ({"trained_on": 129}, {"test": "no", "validation": "no", "train": "some"}),
        (
            {"split": "by class: 288 of 1,438 digits are held back", "trained_on": 1150},
            {"test": "no", "validation": "some", "train": "some"},
        ),
        ({"data": "mnist"}, {"test": "no", "validation": "no", "train": "no"}),
    ],
    ids=["a run", "trained on all", "on a share", "other digits held back", "other data"],
)
def test_a_part_is_told_by_what_the_network_saw(
    change: dict[str, Any], seen: dict[str, str]
) -> None:
    """Held back is only what was held back from this network."""
    uci = load_digits("uci")
    made = card(**change)
    if made.trained_on == 129:
        made = replace(made, split=f"{uci.split}; limited to 129 training and 129 others")
    parts = describe_parts(made, "uci", uci)
    assert {part.part: part.seen for part in parts} == seen


def test_a_network_of_the_world_has_seen_some_of_mnist() -> None:
    """Who learned from MNIST among others, or rehearsed it, has seen some of it."""
    uci = load_digits("uci")
    for made in (
        load_model("universal").card,
        card(data="runs/own", figures={"rehearsed": "500"}),
    ):
        parts = {part.part: part.seen for part in describe_parts(made, "mnist", uci)}
        assert parts == {"test": "no", "validation": "some", "train": "some"}


def test_own_digits_that_a_network_learned_from_are_told(tmp_path: Path) -> None:
    """All of them, or those that were there when it was trained, or none."""
    made = card(data=str(tmp_path), trained_on=3)
    assert [describe_own(made, tmp_path, count).seen for count in (3, 5)] == ["all", "some"]
    assert describe_own(card(), tmp_path, 3).seen == "no"


def test_published_networks_say_what_was_seen(lab: Any) -> None:
    """The page is told before it measures, and the source names the part."""
    result = lab.get("/v1/mistakes/parts", params={"network": "cnn", "data": "uci"}).json()
    TypeAdapter(Parts).validate_python(result)
    assert result["opened"] is None
    assert {item["seen"] for item in result["parts"]} == {"no"}
    held = {"network": "tiny", "data": "uci", "part": "validation"}
    assert lab.get("/v1/mistakes", params=held).json()["source"] == "uci validation"


def test_openings_of_the_test_digits_are_counted(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each measurement of a run on test digits counts, what is remembered does not."""
    monkeypatch.setattr(digit_sets, "published_names", lambda: ())
    asked = {"network": "tiny", "data": "uci"}
    for part, opened in (("validation", 0), ("test", 1), ("test", 1)):
        lab.get("/v1/mistakes", params=asked | {"part": part})
        assert lab.get("/v1/mistakes/parts", params=asked).json()["opened"] == opened
