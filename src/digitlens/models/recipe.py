"""A recipe: everything that decides how a network is trained, as plain numbers."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

from digitlens.errors import DataError, UsageError
from digitlens.storage import read_file, write_text

# A recipe made for MNIST is adapted to training sets that are smaller than this.
FULL_SIZE = 10_000

MIN_STEPS = 400  # a network trains for at least this many steps on a small set

# A small set is split into at least this many batches, where that leaves 16 digits in each.
MIN_BATCHES = 20


@dataclass(frozen=True, kw_only=True)
class BaseRecipe:
    """What every recipe says, and how it is written to config.toml and read again.

    The optimizer is AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101).
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {}
    """Names that older config.toml files use for fields, and today's names."""

    batch: int  # examples a step: digits or lines
    learning_rate: float  # the highest rate on the way
    betas: tuple[float, float]  # AdamW's decay rates of the mean and the squared gradient
    # AdamW's pull towards zero, on weights and kernels only, never on biases or normalization
    weight_decay: float

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe for config.toml."""
        # TOML has no tuples.
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the recipe that `to_dict` wrote, in this version or an older one.

        Raises TypeError: a value is missing, unknown, or of another type.
        """
        fields: dict[str, Any] = {
            cls.OLD_NAMES.get(name, name): tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        check_types(get_type_hints(cls), fields)
        return cls(**fields)


def check_types(kinds: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Check values from a file against their types; what has none is passed over.

    Raises TypeError: a value is of another type, or no finite number.
    """
    for name, value in values.items():
        if name in kinds and not _fits(value, kinds[name]):
            raise TypeError(f"{name} is {str(value)[:60]!r}, not {kinds[name]}")


def _fits(value: Any, kind: Any) -> bool:
    outer, inner = get_origin(kind) or kind, get_args(kind)
    if outer in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if outer is Literal:
        return value in inner
    if outer is tuple and isinstance(value, tuple):
        kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return len(kinds) == len(value) and all(map(_fits, value, kinds))
    if outer is dict and isinstance(value, dict):
        return all(_fits(one, inner[1]) for one in value.values())
    if outer in (int, float):
        wanted = int if outer is int else (int, float)
        return (
            isinstance(value, wanted) and not isinstance(value, bool) and math.isfinite(value)
        )
    return isinstance(value, outer)


# adam is adamw without its pull towards zero; sgd has a momentum of the first of betas.
OPTIMIZERS = ("adamw", "adam", "sgd")

SGD_RATE = 0.1  # the learning rate of sgd where none is given: Adam's are far too small for it

# What follows each hidden layer of a network of one's own.
ACTIVATIONS = ("relu", "tanh", "sigmoid", "none")

# How digits are changed in training, by name: as convnet's recipe does it, as best's does.
AUGMENTATIONS: dict[str, dict[str, Any]] = {
    "none": {"translate": 0, "rotate": 0.0, "scale": 0.0, "shear": 0.0, "elastic": 0.0},
    "light": {"translate": 2, "rotate": 8.0, "scale": 0.08, "shear": 0.1, "elastic": 0.0},
    "strong": {"translate": 2, "rotate": 12.0, "scale": 0.12, "shear": 0.15, "elastic": 0.4},
}


@dataclass(frozen=True, kw_only=True)
class Recipe(BaseRecipe):
    """How a network for single digits is trained.

    The learning rate rises in a straight line over the first `warmup` of all steps and then
    falls in a straight line to zero (Smith 2018, arXiv 1803.09820).
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {
        "smoothing": "label_smoothing",
        "shift": "translate",
        "turn": "rotate",
        "stretch": "scale",
        "slant": "shear",
        "bend": "elastic",
        "wear": "degrade",
        "outliers": "negatives",
        "framed": "reframe",
        "frozen": "freeze_norm",
    }

    epochs: int  # passes over the training digits
    optimizer: str = "adamw"  # one of `OPTIMIZERS`
    dropout: float = 0.0  # the share of a dense hidden layer's values that a step leaves out
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    warmup: float = 0.25  # share of all steps on which the learning rate rises, in 0..1
    label_smoothing: float = 0.0  # the share of the truth that is spread over all ten classes
    # training divides the logits by this, answers do not. Smoothing teaches a network to be
    # less sure than it is right; with a temperature above 1 it learns the same answers with
    # logits that many times larger, and its probabilities can be believed (the temperature of
    # Guo et al. 2017, arXiv 1706.04599, built in instead of added afterwards).
    temperature: float = 1.0
    # augmentation, drawn anew in each epoch: up to this many pixels up, down, left and right
    translate: int = 0
    rotate: float = 0.0  # up to this many degrees either way
    scale: float = 0.0  # height and width are each scaled by up to this share, more or less
    shear: float = 0.0  # up to this many columns for each row
    # elastic distortion: the standard deviation, in pixels, of a smooth random field
    elastic: float = 0.0
    # share of the digits that are degraded as well (blur, noise, thin strokes, ...)
    degrade: float = 0.0
    # how many pictures that are no digit are shown for each digit. For networks with an
    # eleventh output.
    negatives: float = 0.0
    # share of the degraded digits and negatives that are brought into MNIST's frame as users'
    # pictures are: `digitlens.imaging.frame_stack`
    reframe: float = 0.0
    # share of all epochs, the last ones, in which batch normalization keeps the means and
    # variances that it has gathered. Where a batch mixes digits with noise and blots, its own
    # statistics are not those of the digits that are read later; in these epochs the network
    # learns with the ones it will be used with.
    freeze_norm: float = 0.0
    # the published network whose answers are learnt instead of the labels (Hinton, Vinyals and
    # Dean 2015, arXiv 1503.02531), on digits that are not degraded; empty for none
    teacher: str = ""
    # the teacher answers once, to the training digits as they are (of `world`: to MNIST's), and
    # is believed where it is sure of the label; elsewhere the label is learnt
    teacher_once: bool = False
    # the share of "no digit" above which a picture is refused, where no digits are held back to
    # find it on
    threshold: float = 0.5

    @property
    def deforms(self) -> bool:
        """Whether digits are deformed, not just moved by whole pixels."""
        return bool(self.rotate or self.scale or self.shear or self.elastic)

    def count_negatives(self, digits: int) -> int:
        """Return how many pictures that are no digit an epoch of so many digits holds."""
        return round(self.negatives * digits)

    def adjust(
        self,
        *,
        learning_rate: float | None = None,
        batch: int | None = None,
        dropout: float | None = None,
        optimizer: str | None = None,
        augment: str | None = None,
    ) -> Recipe:
        """Return the recipe with what was asked for; None leaves a value as it is.

        Raises UsageError: a rate or batch that is not above 0, a share outside 0..1, or a name
        that is not in `OPTIMIZERS` or `AUGMENTATIONS`.
        """
        if learning_rate is not None and not 0 < learning_rate < math.inf:
            raise UsageError("a learning rate must be above 0", seen=f"{learning_rate}")
        if batch is not None and batch < 1:
            raise UsageError("a batch must have at least 1 digit", seen=f"{batch}")
        if dropout is not None and not 0 <= dropout < 1:
            raise UsageError("dropout must be at least 0 and below 1", seen=f"{dropout}")
        for name, what, known in (
            (optimizer, "optimizer", OPTIMIZERS),
            (augment, "augmentation", AUGMENTATIONS),
        ):
            if name is not None and name not in known:
                raise UsageError(f"{name!r} is no {what}", seen=f"known: {', '.join(known)}")
        values: dict[str, Any] = {
            "learning_rate": learning_rate,
            "batch": batch,
            "dropout": dropout,
            "optimizer": optimizer,
        }
        if optimizer == "sgd":
            values["betas"] = (0.9, self.betas[1])
            values["learning_rate"] = learning_rate or SGD_RATE
        changes = {name: value for name, value in values.items() if value is not None}
        return replace(self, **changes, **(AUGMENTATIONS[augment] if augment else {}))

    def fit_to(self, digits: int) -> Recipe:
        """Return the recipe for so many training digits.

        It is the same from 10,000 digits on. For fewer, batches are smaller and epochs more,
        so that there are steps enough to learn in; the learning rate falls with the root of
        the batch (Malladi et al. 2022, arXiv 2205.10287).

        >>> Recipe(epochs=1, batch=256, learning_rate=0.02).fit_to(1_280)
        ... # doctest: +ELLIPSIS
        Recipe(batch=64, learning_rate=0.01, ..., epochs=20, ...)
        """
        if digits >= FULL_SIZE:
            return self
        batch = min(self.batch, max(16, digits // MIN_BATCHES), max(1, digits))
        epochs = max(self.epochs, math.ceil(MIN_STEPS / max(1, digits // batch)))
        rate = self.learning_rate * math.sqrt(batch / self.batch)
        return replace(self, batch=batch, epochs=epochs, learning_rate=rate)

    def rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of `step` (0-based) when there are `steps` in all.

        >>> recipe = Recipe(epochs=1, batch=1, learning_rate=0.4, warmup=0.25)
        >>> [round(recipe.rate_at(step, 8), 3) for step in range(8)]
        [0.2, 0.4, 0.4, 0.333, 0.267, 0.2, 0.133, 0.067]
        """
        rising = self.warmup * steps
        if step < rising:
            return self.learning_rate * min(1.0, (step + 1) / rising)
        return self.learning_rate * (steps - step) / (steps - rising)


def write_recipe(path: Path, recipe: Recipe, **about: Mapping[str, Any]) -> None:
    """Write a recipe as TOML, with tables that say where it comes from."""
    import tomli_w  # of the extra `train`

    write_text(path, tomli_w.dumps({**about, "recipe": recipe.to_dict()}))


def read_recipe(path: Path) -> Recipe:
    """Return the recipe that `write_recipe` wrote, or that of a run's config.toml.

    Raises MissingDataError: there is no such file; DataError: it holds no recipe.
    """
    try:
        content = read_file(path).content.decode()
        return Recipe.from_dict(tomllib.loads(content)["recipe"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path} holds no recipe of a network of digits",
            seen=f"{type(error).__name__}: {error}",
            try_="digitlens tune NETWORK writes one",
        ) from error


# Plain paper is rare in the style for training, and digits that run into each other too.
OTHER_STYLES = (
    *("touching", "overlap", "clean", "cheque"),
    *("overlap", "touching", "boxes", "clean"),
)


# Four lines of eleven by MNIST's writers, a quarter by strokes, the rest by fonts.
WORLD_HANDS = (
    *(*("glyphs",) * 12, *("pen",) * 8),
    *("school", "school", "hand", "hand", "printed", "printed", "printed"),
    *(*("stencil",) * 2, *("matrix",) * 2, *("segment",) * 2),
)


@dataclass(frozen=True, kw_only=True)
class LineRecipe(BaseRecipe):
    """How a network that reads lines is trained on synthetic lines, made as it goes.

    The learning rate rises in a straight line over the first steps, stays, and falls in a
    straight line to zero over the last ones.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {
        "warmup": "warmup_steps",
        "decay": "decay_steps",
        "average": "ema_decay",
        "fade": "frame_loss_steps",
        "clip": "max_grad_norm",
        "others": "other_styles",
        "longest": "max_width",
        "every": "eval_every",
    }

    steps: int = 35_000  # batches in all; no line is shown twice
    batch: int = 64
    learning_rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.02
    # warmup_steps, decay_steps: steps on which the rate rises, and the last ones on which it
    # falls
    warmup_steps: int = 500
    decay_steps: int = 11_000
    # what is kept are not the last weights but their exponential moving average: the share of
    # the old mean that a step leaves, less in the first steps (Polyak and Juditsky 1992)
    ema_decay: float = 0.999
    # the loss over whole strings (Graves et al. 2006: connectionist temporal classification)
    # has a second one beside it, over single frames, those at the middle of each digit. It
    # shows the network early on where digits are, and fades away over so many steps.
    frame_loss_steps: int = 6_000
    max_grad_norm: float = 5.0  # longer gradients are clipped to this length
    # channels of the network's four stages
    widths: tuple[int, int, int, int] = (32, 64, 128, 192)
    # what most lines are learnt from: a name in `digitlens.synth.STYLES`
    style: str = "training"
    # other_styles, other_share: styles of a part of the lines, each as many, and their share of
    # all
    other_styles: tuple[str, ...] = OTHER_STYLES
    other_share: float = 0.25
    # what lines are written with, as `digitlens.synth.Style.hands` has it
    hands: tuple[str, ...] = ("glyphs",)
    max_width: int = 512  # columns; longer lines are left out, as one would widen a whole batch
    eval_every: int = 1_000  # steps from one evaluation, and one checkpoint, to the next

    def fit_to(self, steps: int) -> LineRecipe:
        """Return the recipe for so many steps; with few, all that takes time takes less.

        >>> short = LineRecipe().fit_to(2_000)
        >>> short.warmup_steps, short.decay_steps, short.frame_loss_steps
        (200, 666, 1000)
        >>> LineRecipe().fit_to(35_000) == LineRecipe()
        True
        """
        return replace(
            self,
            steps=steps,
            warmup_steps=min(self.warmup_steps, steps // 10),
            decay_steps=min(self.decay_steps, steps // 3),
            frame_loss_steps=min(self.frame_loss_steps, steps // 2),
            eval_every=min(self.eval_every, max(1, steps // 10)),
        )

    def go_on(self, steps: int | None = None) -> LineRecipe:
        """Return the recipe by which a trained network learns on.

        It knows where digits are, so no loss over frames shows it; a third of the rate
        forgets less, and falls for two thirds of the steps.

        >>> short = LineRecipe().go_on(300)
        >>> short.steps, short.warmup_steps, short.decay_steps, short.frame_loss_steps
        (300, 30, 200, 0)
        """
        steps = GO_ON_STEPS if steps is None else steps
        return replace(
            self,
            steps=steps,
            learning_rate=self.learning_rate / 3,
            warmup_steps=min(200, steps // 10),
            decay_steps=max(1, 2 * steps // 3),
            frame_loss_steps=0,
            ema_decay=min(self.ema_decay, 0.998),
            eval_every=min(250, max(1, steps // 4)),
        )

    def rate_at(self, step: int) -> float:
        """Return the learning rate of `step` (0-based).

        >>> recipe = LineRecipe(steps=8, learning_rate=0.4, warmup_steps=2, decay_steps=4)
        >>> [round(recipe.rate_at(step), 2) for step in range(8)]
        [0.2, 0.4, 0.4, 0.4, 0.4, 0.3, 0.2, 0.1]
        """
        rising = min(1.0, (step + 1) / max(1, self.warmup_steps))
        falling = min(1.0, (self.steps - step) / max(1, self.decay_steps))
        return self.learning_rate * rising * falling

    def frame_loss_weight(self, step: int) -> float:
        """Return the weight of the loss over single frames at `step` (0-based), 1 to 0."""
        return max(0.0, 1.0 - step / self.frame_loss_steps) if self.frame_loss_steps else 0.0

    def ema_decay_at(self, step: int) -> float:
        """Return the share of the old mean that `step` (0-based) leaves.

        >>> [LineRecipe().ema_decay_at(step) for step in (0, 10, 100_000)]
        [0.1, 0.55, 0.999]
        """
        return min(self.ema_decay, (1 + step) / (10 + step))


GO_ON_STEPS = 3_000  # steps of a reader that goes on from a trained one
CORRECTION_STEPS = 300  # steps of one that goes on with lines that people corrected

SIGNS = "signs"

# That of the network that tells digits, letters and marks apart: one small enough to look at
# each line of a page before it is read.
SIGN_RECIPE = LineRecipe(
    steps=4_000,
    batch=48,
    learning_rate=4e-3,
    warmup_steps=150,
    decay_steps=2_000,
    ema_decay=0.995,
    frame_loss_steps=0,
    widths=(16, 32, 40, 48),
    max_width=400,
    eval_every=250,
)

RESCORER = "rescorer"

# Of readers' hands half are MNIST's writers: on these a reader is sure by far longer training.
RESCORER_HANDS = (*WORLD_HANDS, *("glyphs",) * 12)

# That of the network that looks at a line's digits one by one: a batch is of windows.
RESCORER_RECIPE = LineRecipe(
    steps=16_000,
    batch=256,
    warmup_steps=500,
    decay_steps=8_000,
    frame_loss_steps=0,
    widths=(24, 24, 48, 96),
    hands=RESCORER_HANDS,
    other_share=0.4,
)

# They help a reader, and read no numbers themselves.
HELPERS = (SIGNS, RESCORER)

# The networks for lines that can be trained, by name.
READERS = {
    "reader": LineRecipe(),
    "reader-wide": LineRecipe(widths=(32, 96, 128, 256)),
    "reader-world": LineRecipe(hands=WORLD_HANDS),
    SIGNS: SIGN_RECIPE,
    RESCORER: RESCORER_RECIPE,
}


def find_line_recipe(name: str) -> LineRecipe:
    """Return the recipe of the reader called `name`.

    Raises UsageError: there is no such reader.
    """
    if name not in READERS:
        raise UsageError(f"{name!r} is no reader of lines", seen=f"known: {', '.join(READERS)}")
    return READERS[name]
