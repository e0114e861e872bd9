"""From a network's log-probabilities to a `Line`: strings, places and confidence together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from digitlens.ctc.align import FrameScale, align, digit_boxes
from digitlens.ctc.confidence import confidence_features
from digitlens.ctc.decode import BEST, decode
from digitlens.ctc.result import Alternative, Line, LineDigit

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.ctc.confidence import ConfidenceModels
    from digitlens.ctc.decode import Decoded
    from digitlens.geometry import Box


def assemble_line(
    log_probs: NDArray[np.floating[Any]],
    box: Box,
    *,
    scale: FrameScale | None = None,
    lengths: int | Collection[int] | None = None,
    ink: NDArray[np.floating[Any]] | None = None,
    calibrations: ConfidenceModels | None = None,
    best: int = BEST,
    decoded: Decoded | None = None,
) -> Line:
    """Read a line from what the network says of its frames.

    Parameters
    ----------
    log_probs
        float (T, 11), as for `decode`.
    box
        Of the line in the picture.
    scale
        How frames become columns of the picture; by default a frame every two pixels from
        the left edge of the box on.
    lengths
        Allowed lengths, as for `decode`.
    ink
        float (W,), as for `digit_boxes`.
    calibrations
        Without them the confidence is the string's probability as the network sees it, among
        the allowed lengths where these are given: it does not say whether the line has an
        allowed length at all.
    best
        Strings to weigh; all but the first become alternatives.
    decoded
        The strings, where they are known already: from several views of the line, say.
        `lengths` and `best` then say nothing.

    Returns
    -------
    The line. Its text is empty, with no digits and a confidence of 0.0, where no string of an
    allowed length has an alignment; and empty with the probability of that where the line
    most likely holds no digit.

    Raises
    ------
    ShapeError, DataError, UsageError
        As `decode` and `digit_boxes` say.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.full((5, 11), 1e-3)
    >>> frames[[0, 2, 4], 10] = frames[1, 4] = frames[3, 1] = 0.99
    >>> line = assemble_line(np.log(frames / frames.sum(1, keepdims=True)), (0, 0, 10, 8))
    >>> line.text, [round(digit.box[0]) for digit in line.digits]
    ('41', [1, 5])
    """
    scale = scale or FrameScale(offset=box[0] + 1.0)
    if decoded is None:
        decoded = decode(log_probs, lengths=lengths, best=best)
    if decoded.best is None:
        return Line("", 0.0, box)
    text = decoded.best.text
    spans = align(log_probs, text)
    confidence = decoded.best.among_lengths
    if calibrations is not None:
        features = confidence_features(decoded, spans)[None]
        confidence = float(calibrations.of(decoded.lengths).confidence(features)[0])
    boxes = digit_boxes([span.centre for span in spans], scale, box, ink=ink)
    digits = tuple(
        LineDigit(
            span.digit,
            span.confidence,
            place,
            tuple(Alternative(*item) for item in span.alternatives),
        )
        for span, place in zip(spans, boxes, strict=True)
    )
    others = decoded.candidates[1:]
    alternatives = tuple(Alternative(item.text, item.among_lengths) for item in others)
    return Line(text, confidence, box, digits, alternatives)
