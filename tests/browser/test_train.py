"""Train in the page: by torch with a server, by the page's own JavaScript without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens import load_model
from digitlens.explain.inspection import inspect_model

Go = Callable[[Any, str], None]
BACKENDS = ["server", "static"]

pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def save(page: Any, button: str, folder: Path) -> Path:
    """Press a button that gives a file, and return where it lies."""
    with page.expect_download() as got:
        page.locator(button).click()
    path = folder / got.value.suggested_filename
    got.value.save_as(path)
    return path


def begin(page: Any, go: Go, *, layers: str, epochs: int) -> None:
    """Open Train and begin to train a network of one's own on few digits of UCI's."""
    go(page, "train")
    page.locator("#train-network").select_option("custom")
    page.locator("#train-data").select_option("uci")
    page.locator("#train-layers").fill(layers)
    page.locator("#train-share").fill("10")
    page.locator("#train-epochs").fill(str(epochs))
    page.locator("#train-activation").select_option("tanh")
    page.locator("#train-form summary").click()
    page.locator("#train-augment").select_option("light")
    page.locator("#train-start").click()


def test_a_network_is_trained_and_used_elsewhere(
    page: Any, go: Go, expect: Any, tmp_path: Path
) -> None:
    """Curves, weights and words come with the run; its network answers in the other tabs.

    It has the activation that was asked for, and its file is a model of Python's.
    """
    begin(page, go, layers="conv4x5/2,dense12", epochs=3)
    expect(page.locator("#run-weights canvas")).to_have_count(4)
    page.locator("#run-use").wait_for()
    for chart in ("loss", "right"):
        expect(page.locator(f"#chart-{chart} .dot.train")).to_have_count(3)
        expect(page.locator(f"#chart-{chart} .dot.validation")).to_have_count(3)
    expect(page.locator("#run-words")).to_contain_text("alidation")
    page.locator("#run-use").click()
    name = page.locator("#run-title").text_content()
    model = load_model(save(page, "#run-save", tmp_path))
    assert (model.name, model.card.network) == (name, "custom")
    inside = inspect_model(model).layers
    assert [layer.activation_name for layer in inside] == ["tanh", "tanh", ""]
    expect(page.locator("#network")).to_have_value(name)
    go(page, "network")
    expect(page.locator("#net-words")).to_contain_text(name)
    expect(page.locator("#net-rows .net-layer")).to_have_count(3)
    expect(page.locator("#net-rows .net-layer").first).to_contain_text("then tanh")
    expect(page.locator("#net-rows .maps button")).to_have_count(4)
    go(page, "convolution")
    expect(page.locator("#cell-title")).to_contain_text("layer 1, map")
    go(page, "mistakes")
    page.locator("#mistakes-data").select_option("uci")
    expect(page.locator("#mistakes-words")).to_contain_text(f"{name} misses")
    expect(page.locator("#mistakes-words")).to_contain_text("(uci validation)")
    page.locator("#mistakes-part").select_option("test")
    page.get_by_role("button", name=f"opened 0 times for {name}").click()
    expect(page.locator("#mistakes-words")).to_contain_text("of 359 (uci test)")
    go(page, "map")
    expect(page.locator("#map-words")).to_contain_text("by layer 2, 12 numbers a digit")
    page.reload()  # it is kept
    expect(page.locator("#network")).to_have_value(name)
    expect(page.locator("#map-words")).to_contain_text("12 numbers a digit")


def test_a_view_and_its_network_are_taken_away(
    page: Any, go: Go, expect: Any, tmp_path: Path
) -> None:
    """Pictures of a view hold what it shows, the maps too; a network's file loads in Python."""
    go(page, "network")
    expect(page.locator("#net-rows .net-layer")).to_have_count(5)
    assert load_model(save(page, "#net-save", tmp_path)).name == "universal"
    drawn = save(page, "#save-svg", tmp_path).read_text()
    assert drawn.startswith("<svg")
    assert drawn.count("data:image/png") > 80
    with Image.open(save(page, "#save-png", tmp_path)) as picture:
        width, height = picture.size
        inked = np.asarray(picture.convert("L").crop((0, height // 8, width // 3, height // 3)))
    assert width > 1800
    assert inked.min() < 60  # the digit on the paper
    assert inked.max() > 240


def test_a_run_is_stopped_resumed_renamed_and_deleted(page: Any, go: Go, expect: Any) -> None:
    """Epochs that are done stay; resuming goes on from them; a name and an end are given."""
    begin(page, go, layers="dense128", epochs=900)
    rows = page.locator("#run-table tbody tr")
    rows.nth(1).wait_for(state="attached")
    page.locator("#train-stop").click()
    page.locator("#run-resume").wait_for()
    count = rows.count()
    page.locator("#run-resume").click()
    rows.nth(count).wait_for(state="attached")
    page.locator("#train-stop").click()
    page.locator("#run-rename").click()
    page.locator("#run-name").fill("mine")
    page.locator("#run-name").press("Enter")
    expect(page.locator("#run-title")).to_have_text("mine")
    page.locator("#run-delete").click()
    page.locator("#delete-yes").click()
    expect(page.locator("#runs [data-run='mine']")).to_have_count(0)


def test_what_cannot_be_built_is_refused(page: Any, go: Go, expect: Any) -> None:
    """A layer that is none is named, with an example of what would do."""
    begin(page, go, layers="conv8,poool", epochs=1)
    expect(page.locator("#train-problem")).to_contain_text("poool")
    expect(page.locator("#train-start")).to_be_enabled()


def test_what_is_gone_on_from_has_its_layers(page: Any, go: Go, expect: Any) -> None:
    """Layers and activation are asked for where weights begin at random, and sent only then."""
    go(page, "train")
    page.locator("#train-network").select_option("custom")
    expect(page.locator("#train-layers")).to_be_visible()
    expect(page.locator("#train-command")).to_contain_text("--layers")
    page.locator("#train-from").evaluate(
        """start => {
            start.add(new Option("mine", "mine", true, true));
            start.dispatchEvent(new Event("change", {bubbles: true}));
        }"""
    )
    expect(page.locator("#train-layers")).to_be_hidden()
    expect(page.locator("#train-activation")).to_be_hidden()
    expect(page.locator("#train-command")).not_to_contain_text("--layers")


def test_gradients_come_when_they_are_asked_for(page: Any, go: Go, expect: Any) -> None:
    """Integrated gradients are drawn beside what covering parts of the digit shows."""
    page.locator("#network").select_option("tiny")
    page.locator("#why-ask").click()
    expect(page.locator("#why-gradients-words")).to_contain_text("faded in from blank paper")
    expect(page.locator("#why-gradients")).to_be_visible()
