"""What holds of the lab's parts for any input."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digitlens.errors import DigitlensError
from digitlens.server.http_errors import problem_body
from digitlens.server.inspect import convolve, explain_output_size, output_size
from digitlens.server.middleware import has_token
from digitlens.server.prometheus import Histogram
from digitlens.server.settings import ServerSettings
from digitlens.server.uploads import parse_json

SETTINGS = ServerSettings(max_pictures=3)
SMALL = st.floats(-100, 100, width=32)


@st.composite
def convolutions(draw: Any) -> dict[str, Any]:
    """Draw what a kernel is laid over, two kernels, a stride and a padding that fit."""
    channels, side, size = draw(st.tuples(*[st.integers(1, top) for top in (3, 9, 4)]))
    padding = draw(st.integers(0, 3))
    size = min(size, side + 2 * padding)
    shape, kernel = (channels, side, side), (channels, size, size)
    return {
        "into": draw(arrays.arrays(np.float32, shape, elements=SMALL)),
        "kernel": draw(arrays.arrays(np.float32, kernel, elements=SMALL)),
        "other": draw(arrays.arrays(np.float32, kernel, elements=SMALL)),
        "stride": draw(st.integers(1, 4)),
        "padding": padding,
    }


@given(convolutions(), SMALL)
def test_a_map_is_what_its_places_say(drawn: dict[str, Any], bias: float) -> None:
    """At each place the map is the sum of the products there and the bias."""
    into, kernel = drawn["into"].astype(np.float64), drawn["kernel"].astype(np.float64)
    stride, padding = drawn["stride"], drawn["padding"]
    result = convolve(drawn["into"], drawn["kernel"], bias=bias, stride=stride, padding=padding)
    side, size = into.shape[1], kernel.shape[1]
    assert result.shape == (output_size(side, size, stride=stride, padding=padding),) * 2
    framed = np.pad(into, ((0, 0), (padding, padding), (padding, padding)))
    for row, column in np.ndindex(*result.shape):
        top, left = row * stride, column * stride
        window = framed[:, top : top + size, left : left + size]
        assert result[row, column] == pytest.approx((window * kernel).sum() + bias, abs=1e-3)


@given(convolutions())
def test_kernels_add_up(drawn: dict[str, Any]) -> None:
    """The map of a sum of kernels is the sum of their maps."""
    rest = {"bias": 0.0, "stride": drawn["stride"], "padding": drawn["padding"]}
    one, other = drawn["kernel"].astype(np.float64), drawn["other"].astype(np.float64)
    both = convolve(drawn["into"], one + other, **rest)
    apart = convolve(drawn["into"], one, **rest) + convolve(drawn["into"], other, **rest)
    assert np.allclose(both, apart, atol=1e-6)


@given(st.integers(1, 28), st.integers(1, 28), st.integers(1, 28), st.integers(0, 28))
def test_the_arithmetic_says_the_size(side: int, size: int, stride: int, padding: int) -> None:
    """A kernel fits at the last place and not one further, and the words name that number."""
    if size > side + 2 * padding:
        return
    count = output_size(side, size, stride=stride, padding=padding)
    assert (count - 1) * stride + size <= side + 2 * padding < count * stride + size
    words = explain_output_size(side, size, stride=stride, padding=padding)
    assert re.search(r"= (\d+)", words)[1] == str(count)  # type: ignore[index]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_is_more_than_a_problem(body: bytes) -> None:
    """Whatever comes as JSON is pictures or one of our errors, whose problem is JSON again."""
    try:
        result = parse_json(body, SETTINGS)
    except DigitlensError as error:
        answer = json.loads(problem_body(error))
        assert 400 <= answer["status"] < 500
    else:
        assert all(isinstance(item, bytes | np.ndarray) for item in result)


@given(st.lists(JSON, max_size=3))
def test_no_list_of_pictures_is_more_than_a_problem(pictures: list[Any]) -> None:
    """The same of what has the right form outside and anything inside."""
    body = json.dumps({"pictures": pictures}).encode()
    try:
        assert len(parse_json(body, SETTINGS)) == len(pictures)
    except DigitlensError as error:
        assert 400 <= error.http_status < 500


@given(
    st.dictionaries(
        st.sampled_from([b"authorization", b"cookie", b"host"]), st.binary(max_size=60)
    )
)
def test_nothing_but_the_token_is_the_token(headers: dict[bytes, bytes]) -> None:
    """No headers that do not hold the token are taken for it, and none break the check."""
    assert not has_token(headers, "0123456789abcdef-token", 8000)


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0, 100), min_size=1, unique=True))
def test_a_histogram_counts_everything_once(values: list[float], bounds: list[float]) -> None:
    """Below each bound stand as many values as are at most that, and all below the last."""
    histogram = Histogram(tuple(sorted(bounds)))
    for value in values:
        histogram.observe(value)
    lines = list(histogram.format_lines("x"))
    for bound, line in zip(sorted(bounds), lines, strict=False):
        assert int(line.rsplit(" ", 1)[1]) == sum(value <= bound for value in values)
    assert lines[-1] == f"x_count {len(values)}"
