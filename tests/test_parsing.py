"""Single settings: each is taken as it is meant, or refused by its name with what may be given."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import parsing
from tinc_codec.errors import ConfigurationError

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.floats(), max_size=3)
    | st.binary(max_size=2)
)
PARSERS = {
    "data_range": parsing.parse_data_range,
    "exact_values": parsing.parse_exact_values,
    "levels": parsing.parse_levels,
    "inter_level": parsing.parse_inter_level,
    "intra_level": parsing.parse_intra_level,
    "threshold": parsing.parse_threshold,
    "constant_tolerance": parsing.parse_tolerance,
    "network_share": parsing.parse_share,
}


def outcome(parse, *arguments):
    """What is parsed, or what is said of it instead."""
    try:
        return parse(*arguments), None
    except ConfigurationError as error:
        return None, str(error)


@pytest.mark.parametrize("field", PARSERS)
@given(value=ANYTHING)
def test_anything_is_parsed_for_good_or_refused_by_its_name(field, value):
    parsed, refusal = outcome(PARSERS[field], value)
    if refusal is None:
        assert PARSERS[field](parsed) == parsed
    else:
        assert refusal.startswith(field)
        assert len(refusal) < 400


@given(value=ANYTHING, low=st.integers(-3, 3), span=st.integers(0, 5))
def test_whole_numbers_are_within_their_limits(value, low, span):
    number, refusal = outcome(parsing.integer, "field", value, low, low + span)
    if type(value) is int and low <= value <= low + span:
        assert (type(number), number) == (int, value)
    else:
        assert refusal.endswith(f"must be an int from {low} to {low + span}")


def test_exact_values_are_finite_numbers_each_once_in_the_order_given():
    assert parsing.parse_exact_values([3, np.uint8(3), -0.5, math.nan, math.inf]) == (3, -0.5)
    assert parsing.parse_exact_values(np.float32(2)) == (2.0,)
    assert parsing.parse_exact_values([]) == ()


def test_what_is_known_is_named():
    error = parsing.unknown("colour", "reed", ["red", "green"])
    assert str(error) == "colour='reed' is not known; known are 'red', 'green'"
    assert parsing.shown(10**9999) == "a number of thousands of digits"
