"""What commands print fits the terminal, and what they give programs stays small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.cli.doctor import GOLDEN
from digitlens.digits import Digits
from digitlens.explain import explain
from digitlens.models.inference import load_model, published_names
from digitlens.viz import plot_explanation

Cli = Callable[..., Any]


@pytest.fixture
def few(in_tmp: Path, make_digits: Callable[..., Digits]) -> Path:
    """Return a file of a few digits to be tested on."""
    digits = make_digits(60, seed=1)
    images = dict.fromkeys(("x_train", "x_test"), digits.images)
    labels = dict.fromkeys(("y_train", "y_test"), digits.labels)
    np.savez("few.npz", **images, **labels)
    return Path("few.npz")


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(
    "command",
    [
        "summary course-cnn",
        "summary universal",
        "compare universal tiny cnn --data few.npz",
        "evaluate universal --data few.npz --report there",
        "summary nosuch",
        "evaluate no-such-model-of-this-name",
        "recipe show universal",
        "data info few.npz",
        "data show uci --index 3",
        "explain universal few.png --out there",
    ],
)
def test_no_line_is_wider_than_the_terminal(
    digitlens: Cli, few: Path, command: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines end at the terminal's width, and at 100 columns where it has more."""
    from digitlens.data.features import grid_png

    monkeypatch.setattr(plot_explanation, "pictures", lambda *_: {"overview.png": b""})
    monkeypatch.setenv("COLUMNS", str(columns))
    with np.load(few) as arrays:
        Path("few.png").write_bytes(grid_png(arrays["x_test"][:1], zoom=9))
    ended = digitlens(*command.split())
    lines = [*ended.out.splitlines(), *ended.err.splitlines()]
    assert len(lines) > 2
    assert max(map(len, lines)) <= min(100, columns)


@pytest.mark.parametrize("name", published_names())
def test_an_explanation_for_programs_is_small(name: str) -> None:
    """The JSON of a photo's explanation is less than 200 kB, whatever the network."""
    photo = np.full((900, 700), 230, np.uint8)
    photo[300:600, 320:380] = 20
    result = explain(load_model(name), photo, gradients=False, step=9).as_dict(small=True)
    text = json.dumps(result, separators=(",", ":"))
    assert len(text) < 190_000  # with gradients and spaces some kB more
    assert result["layers"][-1]["values"]
    assert len(result["steps"][0]["picture"]) == 40


def test_a_card_says_the_same_in_a_terminal_as_in_markdown() -> None:
    """Both forms of a card hold the same words."""
    card = load_model(GOLDEN).card
    words = [
        text.replace("|", " ").replace("---", " ").split()
        for text in (card.text(), card.markdown())
    ]
    assert words[0] == words[1]
