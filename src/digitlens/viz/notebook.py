"""What a notebook shows of a result: PNG files, by the names that `display.Shown` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from digitlens.data.features import grid_png
from digitlens.imaging.pictures import frame_pictures
from digitlens.metrics.diagnosis import diagnose

if TYPE_CHECKING:
    from digitlens.data import DataSplits
    from digitlens.digits import Digits, Images
    from digitlens.explain import Explanation
    from digitlens.metrics.history import History
    from digitlens.models.predictions import Prediction, Predictions

MOST, COLUMNS = 100, 10  # so many digits of a set are shown, in so many columns


def draw_digits(digits: Digits) -> bytes | None:
    """Draw the first digits as a grid, row by row; None where there are none."""
    return _draw_grid(digits.images)


def _draw_grid(images: Images) -> bytes | None:
    return grid_png(images[:MOST], COLUMNS, zoom=2) if len(images) else None


def draw_splits(data: DataSplits) -> bytes | None:
    """Draw the first training digits: test digits are not looked at."""
    return draw_digits(data.train)


def draw_prediction(answer: Prediction) -> bytes | None:
    """Draw the digit as the model saw it; None where it is not known."""
    return None if answer.image is None else grid_png(answer.image[None], 1, zoom=4)


def draw_predictions(answers: Predictions) -> bytes | None:
    """Draw the digits as the model saw them; None where they are not known."""
    return None if answers.images is None else _draw_grid(answers.images)


def draw_history(history: History) -> bytes | None:
    """Draw accuracy and loss over the epochs; None where there are no epochs."""
    if not history:
        return None
    from digitlens import viz  # with matplotlib, which pictures of digits do without

    return viz.history(history, diagnose(history, history.validation_count))


def draw_explanation(result: Explanation) -> bytes:
    """Draw the overview: the picture, what the layers make of it, and the answer."""
    from digitlens.viz.plot_explanation import overview

    return overview(result, result.answer)


def draw_array(images: Any) -> bytes | None:
    """Draw digits that are an array, a tensor or a list, as `draw_digits` does."""
    digits, _, _ = frame_pictures(images, framed=True)
    return _draw_grid(digits)
