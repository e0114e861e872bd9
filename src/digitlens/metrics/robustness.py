"""A model under ten kinds of corruption: errors by kind and strength, framed first or not."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import SIDE, Digits, Images, Labels
from digitlens.errors import UsageError
from digitlens.metrics import formatting
from digitlens.metrics.evaluation import Predictor, evaluate
from digitlens.metrics.formatting import percent, plural
from digitlens.metrics.intervals import Interval, wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from digitlens.imaging import FramedStack

CLOUDS = 4  # fog is thick or thin at this many places along each side, and between in between
MARGIN = 4  # MNIST's digits keep this far from the edge, in pixels


def fog(images: Images, percent: float, rng: np.random.Generator) -> Images:
    """Let fog of uneven grey take the place of `percent` of the picture's contrast."""
    import cv2

    share = percent / 100
    grays = rng.uniform(0, 255, (len(images), CLOUDS, CLOUDS)).astype(np.float32)
    result = np.empty_like(images)
    for index, picture in enumerate(images):
        cloud = cv2.resize(grays[index], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        mixed = (1 - share) * picture + share * cloud.clip(0, 255)
        result[index] = np.rint(mixed)
    return result


def noise(images: Images, percent: float, rng: np.random.Generator) -> Images:
    """Add to each pixel a normal deviate of `percent` of full ink; cut off at both ends."""
    deviates = rng.standard_normal(images.shape, np.float32)
    noisy: Images = (
        np.rint(images + np.float32(2.55 * percent) * deviates).clip(0, 255).astype(np.uint8)
    )
    return noisy


def invert(images: Images, percent: float, rng: np.random.Generator) -> Images:
    """Turn ink and paper about in `percent` of each picture, from one of its four sides on."""
    width = round(SIDE * percent / 100)
    result = images.copy()
    side = rng.integers(0, 4, len(images))
    first, last = slice(None, width), slice(SIDE - width, None)
    for which, place in enumerate(
        (np.s_[:, first], np.s_[:, last], np.s_[:, :, first], np.s_[:, :, last])
    ):
        chosen = result[side == which]
        chosen[place] = 255 - chosen[place]
        result[side == which] = chosen
    return result


def occlude(images: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Cover a square `pixels` wide with paper, somewhere in the box that the digit is in."""
    width = round(pixels)
    result = images.copy()
    corners = rng.random((len(images), 2))
    # The square stays inside the box while it is narrower than that.
    room = max(SIDE - 2 * MARGIN - width, 0)
    for picture, (down, across) in zip(result, corners, strict=True):
        top, left = MARGIN + round(down * room), MARGIN + round(across * room)
        picture[top : top + width, left : left + width] = 0
    return result


MIDDLE = (SIDE - 1) / 2


def shift(images: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Move each picture by `pixels`, in a direction of its own, to the nearest whole pixel.

    What leaves the picture is lost; paper comes in.
    """
    angle = rng.uniform(0, 2 * np.pi, len(images))
    one = np.broadcast_to(np.eye(2), (len(images), 2, 2))
    way = np.rint(pixels * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return _warp(images, one, way)


def rotate(images: Images, degrees: float, rng: np.random.Generator) -> Images:
    """Turn each picture about its middle by `degrees`, to the left or to the right."""
    angle = np.deg2rad(degrees) * rng.choice([-1.0, 1.0], len(images))
    cos, sin = np.cos(angle), np.sin(angle)
    rows = np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)
    return _warp(images, np.stack(rows, axis=1))


def scale(images: Images, smaller: float, _: np.random.Generator) -> Images:
    """Shrink each picture about its middle by `smaller` per cent of its height and width."""
    factor = 1 / (1 - smaller / 100)
    return _warp(images, np.broadcast_to(factor * np.eye(2), (len(images), 2, 2)))


def _warp(
    images: Images, back: NDArray[np.float64], way: NDArray[np.float64] | None = None
) -> Images:
    """Map each picture; `back` (N, 2, 2) leads from a place in the result to its origin.

    Smaller pictures are averaged down, not sampled, so that no stroke falls between pixels.
    """
    import cv2

    result = np.empty_like(images)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    middle = np.array([MIDDLE, MIDDLE])
    for index, picture in enumerate(images):
        offset = middle - back[index] @ middle - (0 if way is None else way[index])
        size = float(np.sqrt(abs(np.linalg.det(back[index]))))
        seen = picture
        if size > 1.01:  # the Gaussian of Lindeberg's scale space for this step
            seen = cv2.GaussianBlur(picture, (0, 0), 0.5 * np.sqrt(size**2 - 1))
        matrix = np.column_stack([back[index], offset])
        cv2.warpAffine(seen, matrix, (SIDE, SIDE), dst=result[index], flags=flags)
    return result


FINER = 4  # strokes change by parts of a pixel: they are worked on in pictures this much finer


def thicken(images: Images, pixels: float, _: np.random.Generator) -> Images:
    """Make every stroke `pixels` wider, half of it on either side."""
    return _brush(images, pixels, widen=True)


def thin(images: Images, pixels: float, _: np.random.Generator) -> Images:
    """Make every stroke `pixels` narrower; what is not wider than that goes."""
    return _brush(images, pixels, widen=False)


def blur(images: Images, sigma: float, _: np.random.Generator) -> Images:
    """Blur with a Gaussian of `sigma` pixels."""
    import cv2

    blurred = [cv2.GaussianBlur(picture, (0, 0), sigma) for picture in images]
    return np.array(blurred, np.uint8).reshape(images.shape)


def _brush(images: Images, pixels: float, *, widen: bool) -> Images:
    import cv2

    width = 2 * round(pixels * FINER / 2) + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    change = cv2.dilate if widen else cv2.erode
    fine = (SIDE * FINER, SIDE * FINER)
    result = np.empty_like(images)
    for index, picture in enumerate(images):
        large = cv2.resize(picture, fine, interpolation=cv2.INTER_LINEAR)
        cv2.resize(
            change(large, brush), (SIDE, SIDE), dst=result[index], interpolation=cv2.INTER_AREA
        )
    return result


@dataclass(frozen=True)
class Corruption:
    """One kind of change."""

    name: str  # a verb or a noun, such as `"turn"`
    unit: str  # of its strengths, in words
    strengths: tuple[float, ...]  # rising, from 0, which changes nothing
    # Called with uint8 (N, 28, 28), a strength above 0 and a generator; returns new pictures of
    # the same shape and dtype.
    change: Callable[[Images, float, np.random.Generator], Images]

    def apply(self, strength: float, images: Images, *, seed: int = 0) -> Images:
        """Return `images` changed with `strength`; the very same pictures at 0.

        The random numbers are the same at every strength: a picture that is rotated to the
        left by 10 degrees is rotated to the left by 20 as well.

        >>> ink = np.full((1, 28, 28), 255, np.uint8)
        >>> turned = CORRUPTIONS[8].apply(100, ink)
        >>> CORRUPTIONS[8].name, int(turned.max())
        ('invert', 0)
        """
        if strength == 0 or not len(images):
            return images
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return self.change(images, strength, rng)


# All of them; the hardest step of most is beyond what a person reads with ease.
CORRUPTIONS = (
    Corruption("shift", "pixels", (0, 1, 2, 3, 4, 6), shift),
    Corruption("turn", "degrees", (0, 10, 20, 30, 45, 60), rotate),
    Corruption("scale", "% smaller", (0, 15, 30, 45, 60, 70), scale),
    Corruption("thicken", "pixels wider", (0, 1, 2, 3, 4, 5), thicken),
    Corruption("thin", "pixels narrower", (0, 0.5, 1, 1.5, 2, 2.5), thin),
    Corruption("blur", "pixels, sigma", (0, 1, 1.5, 2, 2.5, 3), blur),
    Corruption("fog", "% of the contrast", (0, 20, 40, 60, 80, 90), fog),
    Corruption("noise", "% of full ink", (0, 10, 20, 30, 45, 60), noise),
    Corruption("invert", "% of the picture", (0, 10, 25, 50, 75, 100), invert),
    Corruption("occlude", "pixels, square", (0, 4, 6, 8, 10, 12), occlude),
)


FORMAT = 1  # raised when a key of `StressResult.as_dict` changes its meaning


@dataclass(frozen=True)
class CorruptionResult:
    """One family's misses, a number for each of its strengths."""

    family: Corruption  # the changes that were made
    count: int  # Digits read at each strength
    alone: tuple[int, ...]  # misses of the network on the changed pictures as they are
    # Its misses after `digitlens.imaging` has framed them, those it rejects counted too.
    framed: tuple[int, ...]

    def accuracies(self, *, framed: bool = False) -> list[float]:
        """Return the share of right answers at each strength, 0..1."""
        return [1 - misses / self.count for misses in self._misses(framed)]

    def intervals(self, *, framed: bool = False) -> list[Interval]:
        """Return the 95 % Wilson interval of the accuracy at each strength."""
        return [wilson(misses, self.count) for misses in self._misses(framed)]

    def _misses(self, framed: bool) -> tuple[int, ...]:
        return self.framed if framed else self.alone

    def as_dict(self) -> dict[str, Any]:
        """Return the family's figures as plain values."""
        return {
            "family": self.family.name,
            "unit": self.family.unit,
            "strengths": list(self.family.strengths),
            "misses": list(self.alone),
            "intervals": [list(item) for item in self.intervals()],
            "framed_misses": list(self.framed),
            "framed_intervals": [list(item) for item in self.intervals(framed=True)],
        }


@dataclass(frozen=True)
class RobustnessResult:
    """What a model missed as its pictures got worse."""

    model: str  # its name
    source: str  # where the digits come from, such as `"mnist test"`
    count: int  # Digits read at each strength of each family
    seed: int  # of the chance in the changes
    families: tuple[CorruptionResult, ...]  # in the order of `FAMILIES`

    @property
    def misses(self) -> int:
        """Misses of the network alone on the unchanged digits."""
        return self.families[0].alone[0]

    def mean_accuracy(self, *, framed: bool = False) -> float:
        """Return the mean accuracy over all families and all strengths above 0, 0..1."""
        every = [
            value for item in self.families for value in item.accuracies(framed=framed)[1:]
        ]
        return sum(every) / len(every)

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can hold; shares are 0..1."""
        return {
            "format": FORMAT,
            "model": self.model,
            "source": self.source,
            "count": self.count,
            "seed": self.seed,
            "mean_accuracy": self.mean_accuracy(),
            "framed_mean_accuracy": self.mean_accuracy(framed=True),
            "families": [item.as_dict() for item in self.families],
        }

    def summary(self) -> str:
        """Return the accuracies as plain text for the terminal, ending without a newline."""
        head = (
            f"{self.model} on {plural(self.count, 'digit')} of {self.source or 'digits'}, "
            "right in %"
        )
        rows: list[tuple[str, ...]] = []
        for item in self.families:
            strengths = [f"{strength:g}" for strength in item.family.strengths]
            rows.append((f"{item.family.name}, {item.family.unit}", *strengths))
            for name, framed in (("  alone", False), ("  framed", True)):
                shown = [percent(share)[:-2] for share in item.accuracies(framed=framed)]
                rows.append((name, *shown))
        means = [percent(self.mean_accuracy(framed=framed)) for framed in (False, True)]
        foot = f"  mean over all changes: {means[0]} alone, {means[1]} framed"
        return "\n".join([head, *formatting.table(rows), "", foot])


def measure_robustness(
    model: Predictor,
    digits: Digits,
    *,
    seed: int = 0,
    limit: int | None = None,
    frame: Callable[[Images], FramedStack] | None = None,
    progress: Callable[[str], None] | None = None,
) -> RobustnessResult:
    """Count a model's misses on digits that are changed ever more strongly.

    At strength 0 the misses are those of `evaluate` on the same digits, whose errors it has.
    The same `seed` and digits give the same pictures.

    limit: at most so many of the digits, evenly spread, 1 or more; all when None
    frame: brings uint8 (N, 28, 28) into MNIST's frame; `digitlens.imaging.frame_stack` when
        None. A picture that it rejects counts as a miss: nobody gets an answer.
    progress: called with the name of each family before it is measured
    """
    from digitlens.imaging import frame_stack

    chosen = evenly(digits, limit)

    def after_framing(images: Images) -> int:
        return count_framed(model, (frame or frame_stack)(images), chosen.labels)

    clean, clean_framed = evaluate(model, chosen).misses, after_framing(chosen.images)
    tested = []
    for family in CORRUPTIONS:
        if progress:
            progress(family.name)
        alone, framed = [clean], [clean_framed]
        for strength in family.strengths[1:]:
            changed = family.apply(strength, chosen.images, seed=seed)
            alone.append(int((model.predict(changed).labels != chosen.labels).sum()))
            framed.append(after_framing(changed))
        tested.append(CorruptionResult(family, len(chosen), tuple(alone), tuple(framed)))
    return RobustnessResult(model.name, digits.source, len(chosen), seed, tuple(tested))


def count_framed(model: Predictor, framed: FramedStack, labels: Labels) -> int:
    """Count the misses on framed pictures; one that could not be framed is a miss."""
    wrong = model.predict(framed.images).labels != labels
    wrong[list(framed.rejected)] = True
    return int(wrong.sum())


def evenly(digits: Digits, limit: int | None) -> Digits:
    """Return at most `limit` of the digits, 1 or more, evenly spread over all of them.

    The first digits of a set are not like the rest: the writers of MNIST's first 5,000 test
    digits wrote more clearly than those of the others.

    >>> from digitlens.digits import Digits
    >>> ten = Digits(np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8))
    >>> evenly(ten, 4).labels.tolist()
    [0, 2, 5, 7]
    """
    if limit is None or limit >= len(digits):
        return digits
    if limit < 1:
        raise UsageError("the limit must be 1 or more", seen=str(limit))
    return digits[np.arange(limit) * len(digits) // limit]
