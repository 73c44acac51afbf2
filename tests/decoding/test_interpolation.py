"""Linear interpolation, held against NumPy's along each axis, with samples that do not count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.decoding.interpolation import at_points, neighbours, on_grid


@given(
    known=st.sets(st.integers(0, 60), min_size=1, max_size=9).map(sorted),
    positions=st.lists(st.floats(-3, 70), min_size=1, max_size=9),
)
def test_along_one_axis_it_is_numpys(known, positions):
    known, positions = np.array(known), np.array(positions)
    values = np.cos(known)
    expected = np.interp(positions, known, values)
    assert on_grid(values, [known], [positions]) == pytest.approx(expected, abs=1e-12)


def test_a_plane_of_two_axes_is_met_exactly():
    plane = np.add.outer(3.0 * np.arange(8), 5.0 * np.arange(9))
    x, y = np.array([0.5, 2.25, 6.0]), np.array([1.0, 7.75])
    assert on_grid(plane, [np.arange(8), np.arange(9)], [x, y]) == pytest.approx(np.add.outer(3 * x, 5 * y))

    def read(voxels):
        return plane[voxels], np.ones(len(voxels[0]), bool)

    assert at_points(read, np.array([[0.5, 6.0], [7.75, 1.0]]), plane.shape) == pytest.approx([40.25, 23.0])


def test_what_is_no_number_does_not_count_and_alone_gives_none():
    values = np.array([np.nan, 4.0, np.inf, np.nan])
    mean = on_grid(values, [np.arange(4)], [np.array([0.25, 1.5, 2.5])])
    assert mean[:2].tolist() == [4.0, 4.0]
    assert np.isnan(mean[2])


def test_beyond_the_ends_the_last_one_holds():
    before, after, weight = neighbours(np.array([2, 5]), np.array([-1.0, 2.0, 3.5, 9.0]))
    assert (before.tolist(), after.tolist()) == ([0, 0, 0, 0], [1, 1, 1, 1])
    assert weight.tolist() == [0.0, 0.0, 0.5, 1.0]
