"""The plots are PNGs of the size they say, and show what they should."""

from __future__ import annotations

import io
import runpy
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens import viz
from digitlens.digits import Digits, Images
from digitlens.errors import MissingExtraError
from digitlens.metrics.comparison import compare
from digitlens.metrics.diagnosis import diagnose
from digitlens.metrics.evaluation import Evaluation, evaluate
from digitlens.metrics.history import Epoch
from digitlens.viz import canvas as canvas_module
from digitlens.viz.canvas import (
    INK,
    ORANGE,
    TRAINING,
    VALIDATION,
    Canvas,
    blend,
    format_ticks,
    integer_ticks,
    round_ticks,
    spread_labels,
)
from digitlens.viz.plot_history import Curve, accuracy_range, loss_range
from digitlens.viz.sheet import Sheet


@dataclass(frozen=True)
class Fake:
    """A model whose answers are made up, `wrong` of a hundred of them wrongly."""

    name: str
    wrong: float
    truth: Any

    @property
    def labels(self) -> Any:
        """Its answers."""
        miss = np.random.default_rng(1).random(len(self.truth)) < self.wrong / 100
        return np.where(miss, (self.truth + 5) % 10, self.truth).astype(np.uint8)

    @property
    def probabilities(self) -> Any:
        """Surer where it is right."""
        rng = np.random.default_rng(2).random(len(self.truth))
        sure = np.where(self.labels == self.truth, 1 - rng**4 / 2, 0.4 + rng / 2)
        rows = np.repeat((1 - sure[:, None]) / 9, 10, axis=1)
        rows[np.arange(len(sure)), self.labels] = sure
        return rows.astype(np.float32)

    def predict(self, images: Images) -> Fake:
        """Give the answers, whatever the pictures show."""
        assert len(images) == len(self.truth)
        return self


@pytest.fixture
def result(digits: Digits) -> Evaluation:
    """300 made-up digits, a tenth of them misread."""
    return evaluate(Fake("fake", 10, digits.labels), digits)


def course(epochs: int, validation: bool = True) -> list[Epoch]:
    """A run that overfits if it goes on for long."""
    steps = np.arange(1, epochs + 1)
    loss, held = 0.3 * np.exp(-steps / 4), 0.2 * np.exp(-steps / 3) + 0.06 + 0.003 * steps
    accuracy = 0.983 - 0.1 * np.exp(-steps / 3)
    return [
        Epoch(
            *(index + 1, float(loss[index]), 1 - 0.3 * float(loss[index])),
            *((float(held[index]), float(accuracy[index])) if validation else (None, None)),
            *(0.001, 1.0, 54_000.0),
        )
        for index in range(epochs)
    ]


def decoded(png: bytes) -> Any:
    """The pixels of a PNG, uint8 (H, W, 3)."""
    picture = Image.open(io.BytesIO(png))
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    return np.asarray(picture)


def has(pixels: Any, color: str) -> bool:
    """Whether a colour occurs."""
    wanted = [int(color[index : index + 2], 16) for index in (1, 3, 5)]
    return bool((pixels == wanted).all(axis=2).any())


@pytest.mark.parametrize("epochs", [1, 2, 5, 20, 100])
def test_a_history_of_any_length_is_drawn(epochs: int) -> None:
    """One epoch and a hundred give a picture of one size with both curves."""
    run = course(epochs)
    pixels = decoded(viz.history(run, diagnose(run, 6_000), title="dense"))
    assert pixels.shape == (645, 1575, 3)
    assert has(pixels, TRAINING)
    assert has(pixels, VALIDATION)


def test_the_epochs_that_overfit_are_shaded_and_no_others() -> None:
    """The shade is there when and only when the diagnosis says since when."""
    shade = blend(ORANGE, 0.09)
    short, long = course(3), course(30)
    overfits = replace(diagnose(long, 6_000), since=20)
    assert has(decoded(viz.history(long, overfits)), shade)
    assert diagnose(short, 6_000).since is None
    assert not has(decoded(viz.history(short, diagnose(short, 6_000))), shade)


def test_a_history_without_validation_has_one_curve() -> None:
    """Nothing held back: nothing is drawn in the colour of validation."""
    run = course(4, validation=False)
    pixels = decoded(viz.history(run, diagnose(run, 0)))
    assert has(pixels, TRAINING)
    assert not has(pixels, VALIDATION)


def test_a_run_that_was_resumed_is_drawn_from_where_it_starts() -> None:
    """Epochs that do not begin with 1 are placed by their numbers."""
    run = course(30)[10:]
    decoded(viz.history(run, diagnose(run, 6_000)))


def test_ranges_let_the_late_epochs_fill_the_plot() -> None:
    """An early epoch may lie outside; every late one lies inside, and 100 % in sight."""
    curve = Curve("training", TRAINING, [11.0, 60.0, 97.0, 98.5, 99.0, 99.2])
    low, high = accuracy_range([curve])
    assert 94 < low < 98.5
    assert 99.2 < high <= 101
    low, high = loss_range([Curve("training", TRAINING, [2.3, 0.4, 0.1, 0.05, 0.02, 0.01])])
    assert low < 0
    assert 0.1 < high < 0.2


@pytest.mark.parametrize("values", [[100.0], [0.0], [50.0, 50.0], [100.0, 100.0, 100.0]])
def test_flat_curves_have_a_range(values: list[float]) -> None:
    """A curve that does not move is still drawn on an axis with two ends."""
    for choose in (accuracy_range, loss_range):
        low, high = choose([Curve("training", TRAINING, values)])
        assert low < high
        assert low <= values[-1] <= high
        assert len(round_ticks(low, high)) >= 1


def test_confusion_colours_the_mistakes(result: Evaluation) -> None:
    """The deepest colour is there where digits were confused, not where none were."""
    pixels = decoded(viz.confusion(result.confusion, title="fake"))
    assert pixels.shape == (960, 915, 3)
    assert has(pixels, ORANGE)
    perfect = np.diag(result.confusion.sum(axis=1))
    assert not has(decoded(viz.confusion(perfect)), ORANGE)


def test_mistakes_show_the_pictures_black_on_white(result: Evaluation) -> None:
    """The picture of the worst mistake stands at its place, each pixel a square of six."""
    pixels = decoded(viz.mistakes(result, limit=3))
    worst = result.worst(1)[0]
    top, left = round(0.65 * 150), round(0.2 * 150)
    shown = pixels[top : top + 168 : 6, left : left + 168 : 6, 0]
    assert (shown == 255 - result.digits.images[worst.index]).all()


def test_no_mistakes_are_no_error(digits: Digits) -> None:
    """A perfect model has plots too."""
    perfect = evaluate(Fake("perfect", 0, digits.labels), digits)
    for draw in (viz.mistakes, viz.calibration, viz.coverage):
        decoded(draw(perfect))


def test_a_hopeless_model_has_plots_too(digits: Digits) -> None:
    """Where every answer is wrong nothing can be answered, and that is drawn."""
    hopeless = evaluate(Fake("hopeless", 100, digits.labels), digits)
    for draw in (viz.mistakes, viz.calibration, viz.coverage):
        decoded(draw(hopeless))


@pytest.mark.parametrize(
    ("draw", "shape"), [(viz.calibration, (885, 840, 3)), (viz.coverage, (660, 1050, 3))]
)
def test_plots_of_an_evaluation(
    result: Evaluation, draw: Callable[[Evaluation], bytes], shape: tuple[int, int, int]
) -> None:
    """Calibration and coverage are pictures of the size they say."""
    assert decoded(draw(result)).shape == shape


def test_comparison_has_a_row_for_each_model(digits: Digits) -> None:
    """Each model more makes the picture higher, however long its name."""
    models = [Fake(name, wrong, digits.labels) for name, wrong in [("a" * 60, 3), ("b", 9)]]
    two, three = (decoded(viz.comparison(compare(m, digits))) for m in (models, [*models] * 2))
    assert two.shape[1] == three.shape[1] == 1275
    assert three.shape[0] - two.shape[0] == 150


def test_the_same_plot_twice_is_the_same_to_the_byte_in_any_thread() -> None:
    """Plots share no state: four threads draw what one draws."""
    run = course(12)
    diagnosis = diagnose(run, 6_000)
    alone = viz.history(run, diagnosis)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: viz.history(run, diagnosis), range(8)))
    assert set(together) == {alone}


def test_names_are_never_taken_for_formulas() -> None:
    """A title with dollar signs or an unknown letter is drawn as it stands."""
    run = course(2)
    decoded(viz.history(run, diagnose(run, 6_000), title="$\\frac{1}$ a_b^c & <x>"))


def test_a_name_that_is_no_text_is_drawn() -> None:
    """Bytes of a file's name that are no UTF-8 become question marks, on sheets as on plots."""
    name = b"\xff7.png".decode(errors="surrogateescape")
    run = course(2)
    plot = viz.history(run, diagnose(run, 6_000), title=name)
    assert plot == viz.history(run, diagnose(run, 6_000), title="?7.png")
    assert Sheet(3, name).png(1) == Sheet(3, "?7.png").png(1)


def test_sheets_align_text() -> None:
    """Text set right ends where text set left begins."""

    def columns(**style: Any) -> Any:
        page = Canvas(2, 1)
        page.text((1, 0.5), "digits", **style)
        return np.flatnonzero((decoded(page.png()) < 128).any(axis=(0, 2)))

    left, right, centre = columns(), columns(align="right"), columns(align="center")
    assert left.min() >= 149
    assert right.max() <= 151
    assert abs((centre.min() + centre.max()) / 2 - 150) <= 2
    assert has(decoded(_written("x")), INK)


def _written(words: str) -> bytes:
    page = Canvas(2, 1)
    page.text((0.5, 0.5), words, size=40)
    return page.png()


def test_a_heading_too_long_is_set_smaller() -> None:
    """No heading runs over the right edge of its sheet."""
    for heading in ("short", "a long heading " * 3):
        dark = np.flatnonzero((decoded(Canvas(4, 1, heading).png()) < 128).any(axis=(0, 2)))
        assert 25 <= dark.min() <= 35
        assert dark.max() <= 572


def test_ticks_are_round_and_names_keep_apart() -> None:
    """Ticks lie inside the range, at few decimals; close labels are moved apart."""
    assert round_ticks(97.31, 100.04) == [97.5, 98.0, 98.5, 99.0, 99.5, 100.0]
    assert list(format_ticks([97.5, 98.0]).values()) == ["97.5", "98.0"]
    assert integer_ticks(1, 30) == [5, 10, 15, 20, 25, 30]
    assert integer_ticks(9, 12) == [9, 10, 11, 12]
    assert spread_labels([2.0, 2.0], 1.0) == [1.5, 2.5]
    assert spread_labels([2.0, 9.0], 1.0) == [2.0, 9.0]


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots without matplotlib name the extra that brings it."""
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(MissingExtraError, match=r"digitlens\[train\]"):
        runpy.run_path(canvas_module.__file__)


def test_only_the_renderer_of_matplotlib_is_loaded() -> None:
    """Neither pyplot nor figures nor axes, which take long to import, are loaded."""
    code = (
        "import sys, digitlens.viz\n"
        "print([m for m in ('pyplot', 'figure', 'axes') if f'matplotlib.{m}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_orange_is_for_and_blue_against_in_plots_and_lab() -> None:
    """Plots and lab paint what speaks for and against in the same colours."""
    import re
    from pathlib import Path

    import digitlens
    from digitlens.viz.canvas import BLUE, ORANGE

    style = Path(digitlens.__file__).parent / "server/static/css/tokens.css"
    light = dict(
        re.findall(r"--(plus|minus): light-dark\((#\w+)", style.read_text(encoding="utf-8"))
    )
    assert light == {"plus": ORANGE.lower(), "minus": BLUE.lower()}
