"""The MNIST test labels that people do not agree with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Indices

MNIST_TEST = "mnist test"
"""The source whose positions `DISPUTED` names."""

DISPUTED = (
    *(947, 1621, 1901, 2130, 2462, 2597, 2654, 3520),
    *(3558, 5937, 6651, 6783, 8527, 9679, 9729),
)
"""Positions in MNIST's 10,000 test digits, from 0 on, whose label is disputed.

Most of five raters chose something else than the label for these 15: C. G. Northcutt,
A. Athalye and J. Mueller, "Pervasive label errors in test sets destabilize machine
learning benchmarks", NeurIPS 2021 Datasets and Benchmarks (labelerrors.com).
"""


def undisputed(source: str, positions: Indices) -> NDArray[np.bool_] | None:
    """Mark the digits whose label nobody disputes.

    Parameters
    ----------
    source
        `Digits.source`; only ``"mnist test"`` has been studied.
    positions
        int64 (N,): `Digits.positions`.

    Returns
    -------
    bool (N,), or None for any other source.

    Examples
    --------
    >>> undisputed("mnist test", np.array([946, 947]))
    array([ True, False])
    >>> undisputed("uci test", np.array([946, 947])) is None
    True
    """
    if source != MNIST_TEST:
        return None
    return np.isin(positions, DISPUTED, invert=True)
