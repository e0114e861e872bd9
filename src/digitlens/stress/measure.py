"""A model put through every family of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import UsageError
from digitlens.evaluation import evaluate
from digitlens.stress.families import FAMILIES
from digitlens.stress.result import StressResult, Tested

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.digits import Digits, Images, Labels
    from digitlens.evaluation import Predictor
    from digitlens.ink import Framed


def stress(
    model: Predictor,
    digits: Digits,
    *,
    seed: int = 0,
    limit: int | None = None,
    frame: Callable[[Images], Framed] | None = None,
    progress: Callable[[str], None] | None = None,
) -> StressResult:
    """Count a model's misses on digits that are changed ever more strongly.

    At strength 0 the misses are those of `digitlens.evaluate` on the same digits. The same
    seed and digits give the same pictures.

    Parameters
    ----------
    model
        Anything with `name` and `predict`, such as a `digitlens.Model`.
    digits
        At least one digit.
    seed
        Of the chance in the changes: which way a digit is turned, where it is covered.
    limit
        At most so many of the digits, evenly spread; all when None.
    frame
        Brings uint8 (N, 28, 28) into MNIST's frame; `digitlens.ink.frame_stack` when None.
        A picture that it rejects counts as a miss: nobody gets an answer.
    progress
        Called with the name of each family before it is measured.

    Raises
    ------
    DataError
        There are no digits.
    ModelError
        The model's answers are not one row of ten numbers for each digit.
    UsageError
        The limit is less than 1.
    """
    chosen = evenly(digits, limit)
    bring = frame or _framing()

    def after_framing(images: Images) -> int:
        return count_framed(model, bring(images), chosen.labels)

    clean, clean_framed = evaluate(model, chosen).misses, after_framing(chosen.images)
    tested = []
    for family in FAMILIES:
        if progress:
            progress(family.name)
        alone, framed = [clean], [clean_framed]
        for strength in family.strengths[1:]:
            changed = family.at(strength, chosen.images, seed=seed)
            alone.append(int((model.predict(changed).labels != chosen.labels).sum()))
            framed.append(after_framing(changed))
        tested.append(Tested(family, len(chosen), tuple(alone), tuple(framed)))
    return StressResult(model.name, digits.source, len(chosen), seed, tuple(tested))


def count_framed(model: Predictor, framed: Framed, labels: Labels) -> int:
    """Count the misses on framed pictures; one that could not be framed is a miss.

    Parameters
    ----------
    labels
        uint8 (N,), 0..9: what the N pictures show.
    """
    wrong = model.predict(framed.images).labels != labels
    wrong[list(framed.rejected)] = True
    return int(wrong.sum())


def evenly(digits: Digits, limit: int | None) -> Digits:
    """Return at most `limit` of the digits, evenly spread over all of them.

    The first digits of a set are not like the rest: the writers of MNIST's first 5,000 test
    digits wrote more clearly than those of the others.

    Raises
    ------
    UsageError
        The limit is less than 1.

    Examples
    --------
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


def _framing() -> Callable[[Images], Framed]:
    from digitlens.ink import frame_stack

    return frame_stack
