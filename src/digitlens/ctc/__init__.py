"""CTC decoding: from a network's output to the string a line holds, its places and confidence.

===============  ============================================================
`probs`          the boundary: log-probabilities and lengths, checked once
`forward`        the probability of a string, summed over its alignments
`beam_search`    which strings a line may hold: prefix beams
`decode`         the likeliest strings, by one view of a line or several
`rescoring`      a second opinion about single digits, taken in
`align`          where each digit stands, how sure it is, what else it may be
`regression`     isotonic and logistic regression
`confidence`     calibration: how often such a reading is right
`line`           the result: `Line`, and `assemble_line`, which makes it
===============  ============================================================

Numpy only: no network, no picture, no file.
"""

from __future__ import annotations

from digitlens.ctc.align import FrameScale, Span, align, digit_boxes
from digitlens.ctc.beam_search import BeamOptions
from digitlens.ctc.confidence import (
    FEATURES,
    ConfidenceModel,
    ConfidenceModels,
    confidence_features,
    fit_confidence,
    fit_confidence_models,
)
from digitlens.ctc.decode import Decoded, Hypothesis, decode, decode_ensemble
from digitlens.ctc.line import Alternative, Line, LineDigit, assemble_line
from digitlens.ctc.probs import to_probs

__all__ = [
    "FEATURES",
    "Alternative",
    "BeamOptions",
    "ConfidenceModel",
    "ConfidenceModels",
    "Decoded",
    "FrameScale",
    "Hypothesis",
    "Line",
    "LineDigit",
    "Span",
    "align",
    "assemble_line",
    "confidence_features",
    "decode",
    "decode_ensemble",
    "digit_boxes",
    "fit_confidence",
    "fit_confidence_models",
    "to_probs",
]
