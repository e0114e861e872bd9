"""Laws of quick medians: they are numpy's own, to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from digitlens.layout.color import count_median
from digitlens.layout.grouping import fast_median, fast_quantile

FINITE = {"allow_nan": False, "allow_infinity": False, "width": 32}
NUMBERS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda kind: arrays(kind, st.integers(1, 40), elements=st.floats(-1000, 1000, **FINITE))
)


@given(NUMBERS, st.sampled_from([0.0, 0.25, 0.75, 0.8, 0.999, 1.0]))
def test_a_quantile_is_numpys(values: np.ndarray, share: float) -> None:
    """A quantile is what numpy.quantile gives, to the last bit."""
    assert fast_quantile(values, share) == float(np.quantile(values, share))


@given(NUMBERS)
def test_a_median_is_numpys(values: np.ndarray) -> None:
    """A median is what numpy.median gives, to the last bit."""
    assert fast_median(values) == float(np.median(values))


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_a_median_of_grey_values_is_numpys(plane: np.ndarray) -> None:
    """A median that is counted is what numpy.median gives."""
    assert count_median(plane) == np.median(plane)
