"""The public functions that take names, paths and pictures where packages want objects."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from digitlens.display import Shown, table_html
from digitlens.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL.Image import Image

    from digitlens.data import DataSplits
    from digitlens.digits import Digits
    from digitlens.metrics.comparison import Comparison
    from digitlens.metrics.evaluation import Evaluation, Predictor
    from digitlens.models.card import ModelCard
    from digitlens.models.inference import Model
    from digitlens.models.predictions import Prediction, Predictions
    from digitlens.training import Run


def predict(pictures: Any, model: str | Path | Model | Run = "universal") -> Any:
    """Say which digit each picture shows, and how sure that is.

    pictures: a path, the bytes of a picture file, an open file, a Pillow picture, an array, a
        tensor or rows of numbers; a list of these, a folder, a pattern, an array (N, H, W), or
        `Digits`. Dark ink or light, of any size and at any place: each is brought into MNIST's
        frame, unless it is there already.
    model: a name, a run folder, an .onnx file, a `Model` or a `Run`

    Returns a `Prediction` for one picture, `Predictions` for several. Numbers are 0..255, or
    0..1 where they are fractions; what may be either is an error.

    Raises NoInkError, SeveralDigitsError, ShapeError, DataError: as `frame_digit`, for the
    first picture that cannot be used; ModelError: there is no such model.

    >>> predict("7.png").label  # doctest: +SKIP
    7
    """
    from digitlens.models.inference import as_model

    answers: Prediction | Predictions = as_model(model)(pictures)
    return answers


def evaluate(
    model: str | Path | Predictor | Run,
    data: str | Path | DataSplits | Digits | tuple[Any, Any] = "mnist",
    *,
    part: str = "test",
    name: str | None = None,
    clock: Callable[[], float] | None = None,
) -> Evaluation:
    """Let a model read digits and count everything there is to count.

    model: a name, a run folder, an .onnx file, a `Model`, a `Run`, or anything that predicts
    data: a source for `load_digits` or what it gave, of which `part` is taken; `Digits`, or
        images and labels: all of them
    name: what to call the model instead of its own name
    clock: read before and after `predict`; time.perf_counter when None

    Raises ModelError: there is no such model, or its answers cannot be used; DataError: the
    digits cannot be used, or there are none.

    >>> evaluate("cnn", "mnist").misses  # doctest: +SKIP
    36
    """
    from digitlens.metrics import evaluation
    from digitlens.models.inference import as_model

    more = {} if clock is None else {"clock": clock}
    return evaluation.evaluate(as_model(model), _find_digits(data, part), name=name, **more)


def compare(
    models: Sequence[str | Path | Predictor | Run],
    data: str | Path | DataSplits | Digits | tuple[Any, Any] = "mnist",
    *,
    part: str = "test",
    clock: Callable[[], float] | None = None,
) -> Comparison:
    """Let two or more models read the same digits and test if they differ by more than chance.

    Each of `models`, `data`, `part` and `clock` are as for `evaluate`, and so are errors; fewer
    than two models are a `UsageError`.

    >>> compare(["cnn", "quick"], "mnist")  # doctest: +SKIP
    Comparison(cnn 99.64 %, quick 99.21 % on 10,000 digits of mnist test)
    """
    from digitlens.metrics import comparison
    from digitlens.models.inference import as_model

    if isinstance(models, str):
        raise UsageError(
            "models to compare must be a list", seen=repr(models), try_='["cnn", "quick"]'
        )
    more = {} if clock is None else {"clock": clock}
    return comparison.compare(list(map(as_model, models)), _find_digits(data, part), **more)


def _find_digits(data: Any, part: str) -> Digits:
    from digitlens.data import as_digits, as_splits
    from digitlens.digits import Digits

    if isinstance(data, Digits | tuple):
        if part != "test":
            raise UsageError(
                "part is for a source and its splits; of digits all are taken",
                seen=f"part={part!r}",
                try_=f"splits.{part}, without part",
            )
        return as_digits(data)
    splits = as_splits(data)
    digits = splits.part(part)
    if not len(digits):
        raise DataError(f"{splits.source} has no {part} digits", try_='part="train"')
    return digits


class ModelList(Shown, list["ModelCard"]):
    """The cards of networks: a table at the prompt and in a notebook."""

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each network."""
        from digitlens.models.registry import NETWORKS

        return [
            {
                "name": card.name,
                "about": NETWORKS[card.network].about if card.network in NETWORKS else "",
                "misses": card.test.get("misses"),
                "of": card.test.get("count"),
                "weights": card.weights,
                "data": card.data,
            }
            for card in self
        ]

    def __repr__(self) -> str:
        from digitlens.metrics.formatting import table

        rows = [[str(cell) for cell in row.values()] for row in self.rows()]
        return "\n".join(table([["name", "about", "misses", "of", "weights", "data"], *rows]))

    def _repr_html_(self) -> str:
        return table_html("published networks", self.rows())


def list_models() -> ModelList:
    """Return the cards of the networks that come with digitlens: what for, errors, size."""
    return ModelList(_cards())


@cache
def _cards() -> tuple[ModelCard, ...]:
    from digitlens.errors import ModelError
    from digitlens.models.inference import load_model, published_names

    cards = []
    for name in published_names():
        try:
            cards.append(load_model(name).card)
        except ModelError:  # a reader of lines is none of them
            continue
    return tuple(cards)


def show(what: Any) -> Image:
    """Return the picture of a result, as Pillow has it: a notebook shows it, `save` keeps it.

    what: `Digits`, a history, predictions, a page, an explanation; or digits as an array

    Raises UsageError: there is nothing to draw, or it needs matplotlib, which is not installed.
    """
    from io import BytesIO

    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's

    from digitlens.viz.notebook import draw_array

    png = what._repr_png_() if hasattr(what, "_repr_png_") else draw_array(what)
    if png is None:
        raise UsageError("there must be something to draw", seen=repr(what)[:80])
    return pillow.open(BytesIO(png))
