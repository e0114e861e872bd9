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
`assemble`       all of it: `read_frames`
===============  ============================================================

Numpy only: no network, no picture, no file.
"""

from digitlens.reading.align import Span, align
from digitlens.reading.assemble import read_frames
from digitlens.reading.bar import Bar, Curve, bar_for, curve_of
from digitlens.reading.boxes import Scale, digit_boxes
from digitlens.reading.calibrations import Calibrations, fit_calibrations
from digitlens.reading.confidence import (
    FEATURES,
    Calibration,
    features_of,
    fit_calibration,
)
from digitlens.reading.decode import Candidate, Decoded, decode
from digitlens.reading.line import Alternative, Box, Line, LineDigit
from digitlens.reading.search import Beam
from digitlens.reading.together import decode_together

__all__ = [
    "FEATURES",
    "Alternative",
    "Bar",
    "Beam",
    "Box",
    "Calibration",
    "Calibrations",
    "Candidate",
    "Curve",
    "Decoded",
    "Line",
    "LineDigit",
    "Scale",
    "Span",
    "align",
    "bar_for",
    "curve_of",
    "decode",
    "decode_together",
    "digit_boxes",
    "features_of",
    "fit_calibration",
    "fit_calibrations",
    "read_frames",
]
