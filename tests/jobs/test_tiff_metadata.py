"""What a TIFF says of its images, in OME-Zarr's words."""

import pytest

from tinc_codec.jobs.tiff_metadata import axis_names, axis_order, from_resolution, is_ome_order


@pytest.mark.parametrize(
    ("axes", "names", "order", "valid"),
    [
        ("TCZYX", "tczyx", (0, 1, 2, 3, 4), True),
        ("TZCYX", "tzcyx", (0, 1, 2, 3, 4), False),
        ("YXS", "yxc", (2, 0, 1), True),
        ("TZYXS", "tzyxc", (0, 4, 1, 2, 3), True),
        ("CYXS", "cyxs", (0, 1, 2, 3), False),
        ("SYX", "cyx", (0, 1, 2), True),
        ("QYX", "qyx", (0, 1, 2), True),
        ("QIYX", "qiyx", (0, 1, 2, 3), False),
        ("XY", "xy", (0, 1), False),
        ("X", "x", (0,), False),
    ],
)
def test_axes(axes, names, order, valid):
    assert axis_names(axes) == tuple(names)
    assert axis_order(axes) == order
    assert is_ome_order([names[axis] for axis in order]) is valid


@pytest.mark.parametrize(
    ("resolution", "unit", "sizes"),
    [
        ((20000.0, 10000.0), 3, {"x": 0.5, "y": 1.0}),
        ((25400.0, 25400.0), 2, {"x": 1.0, "y": 1.0}),
        ((72.0, 72.0), 2, {}),
        ((300.0, None), 1, {}),
    ],
)
def test_resolution_of_a_plain_tiff(resolution, unit, sizes):
    assert from_resolution(resolution, unit).sizes == sizes
