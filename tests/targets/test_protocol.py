"""Bounds, and what every target has."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.targets import TARGETS, Bound
from tinc_codec.targets.protocol import Target

numbers = st.none() | st.floats(0, 10)


def test_bounds_of_both_kinds_say_what_is_wrong():
    assert Bound(max_error=2).complaint(2, 9) is None
    assert Bound(max_error=2).complaint(3, 1) == "has an error of 3, above 2"
    assert Bound(rmse=2, asked="40 dB").complaint(9, 3) == "has a root mean square error of 3, above the 2 of 40 dB"
    assert not Bound(rmse=2).holds(0, 3)


@given(bound=st.builds(Bound, numbers, numbers), max_error=st.floats(0, 10), rmse=st.floats(0, 10))
def test_a_bound_holds_where_there_is_nothing_to_complain_of(bound, max_error, rmse):
    assert bound.holds(max_error, rmse) == (bound.complaint(max_error, rmse) is None)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_target_is_a_frozen_dataclass_with_all_that_the_protocol_names(kind):
    target = kind.parse(3, None)
    named = {name for name in vars(Target) if not name.startswith("_")} | {"option", "bytes_per_voxel"}
    assert all(hasattr(target, name) for name in named)
    with pytest.raises(dataclasses.FrozenInstanceError):
        target.value = 4
    assert isinstance(target.bound(0, 9), Bound)
    assert (target.budget(900) is None) != (target.bound(0, 9) == Bound())  # bytes or errors, one of both is asked for
