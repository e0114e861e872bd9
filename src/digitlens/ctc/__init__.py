"""From what a network says of a line, frame by frame, to the string it holds.

===============  ============================================================
`frames`         the network's log-probabilities and the wanted lengths, checked
`search`         which strings a line may hold: prefix beams
`lengths`        the same where only some lengths are allowed
`forward`        the probability of a string, summed over its alignments
`decode`         the likeliest strings, each with its probability
`together`       the same from several views of a line
`align`          where each digit stands, how sure it is, what else it may be
`boxes`          their boxes in the picture
`places`         boxes around others, and on the picture turned upright
`rising`         isotonic regression: from a score to the share that is right
`logistic`       several signs made one score
`confidence`     how often a string read with this probability is right
`bar`            how sure a reading must be at a wanted error rate
`calibrations`   a calibration for no length, and for each length
`line`           the result: `Line`
`assemble`       all of it: `assemble_line`
===============  ============================================================

Numpy only: no network, no picture, no file.
"""

from __future__ import annotations

from digitlens.ctc.align import FrameScale, Span, align, digit_boxes
from digitlens.ctc.assemble import assemble_line
from digitlens.ctc.beam_search import Beam
from digitlens.ctc.confidence import (
    FEATURES,
    ConfidenceModel,
    ConfidenceModels,
    confidence_features,
    fit_confidence,
    fit_confidence_models,
)
from digitlens.ctc.decode import Decoded, Hypothesis, decode, decode_ensemble
from digitlens.ctc.result import Alternative, Line, LineDigit
from digitlens.geometry import Box
from digitlens.metrics.risk_coverage import (
    RiskCoverageCurve,
    ThresholdResult,
    risk_coverage_curve,
    threshold_for_risk,
)

__all__ = [
    "FEATURES",
    "Alternative",
    "Beam",
    "Box",
    "ConfidenceModel",
    "ConfidenceModels",
    "Decoded",
    "FrameScale",
    "Hypothesis",
    "Line",
    "LineDigit",
    "RiskCoverageCurve",
    "Span",
    "ThresholdResult",
    "align",
    "assemble_line",
    "confidence_features",
    "decode",
    "decode_ensemble",
    "digit_boxes",
    "fit_confidence",
    "fit_confidence_models",
    "risk_coverage_curve",
    "threshold_for_risk",
]
