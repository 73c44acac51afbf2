"""What a TIFF says of its images, in OME-Zarr's words."""

import numpy as np
import pytest

from tinc_codec.jobs.tiff_metadata import (
    Image,
    axis_names,
    axis_order,
    from_imagej,
    from_ome,
    from_resolution,
    is_ome_order,
    multiscale,
    omero,
)


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


@pytest.mark.parametrize(
    ("pixels", "sizes", "units"),
    [
        ({"PhysicalSizeX": 0.3, "PhysicalSizeXUnit": "nm"}, {"x": 0.3}, {"x": "nanometer"}),
        ({"PhysicalSizeZ": "2"}, {"z": 2.0}, {"z": "micrometer"}),
        ({"PhysicalSizeY": 1, "PhysicalSizeYUnit": "reference frame"}, {"y": 1.0}, {}),
        ({"TimeIncrement": 5, "TimeIncrementUnit": "min"}, {"t": 5.0}, {"t": "minute"}),
        ({"PhysicalSizeX": 0, "PhysicalSizeY": -1, "PhysicalSizeZ": "many", "TimeIncrement": float("inf")}, {}, {}),
    ],
)
def test_sizes_of_ome(pixels, sizes, units):
    image = from_ome(3, {"Pixels": pixels})
    assert (image.name, image.sizes, image.units, image.channels) == ("3", sizes, units, ())


@pytest.mark.parametrize(
    ("channel", "names"),
    [
        ([{"Name": "DAPI"}, {"Name": "GFP"}], ("DAPI", "GFP")),
        ({"Name": "Kanal ä"}, ("Kanal ä",)),
        ([{"Name": "DAPI"}, {}], ("DAPI", "")),
        ([{}, {}], ()),
        (["", {"Name": "GFP"}], ("", "GFP")),
        (None, ()),
    ],
)
def test_channels_of_ome(channel, names):
    assert from_ome(0, {"Name": "a", "Pixels": {"Channel": channel}}).channels == names


@pytest.mark.parametrize("image", [{}, {"Pixels": ""}, {"Pixels": None}, {"Pixels": [1]}, ""])
def test_an_image_that_says_nothing_has_its_number_for_a_name(image):
    assert from_ome(7, image) == Image("7", {}, {}, ())


@pytest.mark.parametrize(
    ("description", "sizes", "units"),
    [
        ({"unit": "um", "spacing": -2.0}, {"x": 0.5, "y": 0.25, "z": 2.0}, "micrometer"),
        ({"unit": "um", "spacing": "wide"}, {"x": 0.5, "y": 0.25}, "micrometer"),
        ({"unit": "\\u00b5m"}, {"x": 0.5, "y": 0.25}, "micrometer"),
        ({"unit": "pixel", "spacing": 2.0}, {}, None),
        ({"unit": 3}, {}, None),
        ({}, {}, None),
    ],
)
def test_sizes_of_imagej(description, sizes, units):
    image = from_imagej(description, (2.0, 4.0))
    assert image.sizes == sizes
    assert set(image.units.values()) == ({units} if units else set())


def test_frames_and_labels_of_imagej():
    image = from_imagej({"finterval": 5, "tunit": "ms", "Labels": ["a", "b"], "channels": 2}, (None, None))
    assert (image.sizes, image.units, image.channels) == ({"t": 5.0}, {"t": "millisecond"}, ("a", "b"))
    slices = from_imagej({"Labels": ["a", "b", "c"], "channels": 2}, (None, None))
    assert slices.channels == ()  # one for each plane, and not for each channel


def test_levels_are_coarser_over_space_alone():
    image = Image("e", {"t": 5.0, "x": 0.5}, {"x": "micrometer"}, ("DAPI",))
    described = multiscale(image, "tyx", [(6, 9, 8), (6, 4, 4)], ["0", "0_1"])
    assert described["axes"] == [
        {"name": "t", "type": "time"},
        {"name": "y", "type": "space"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    scales = [dataset["coordinateTransformations"][0]["scale"] for dataset in described["datasets"]]
    assert scales == [[5.0, 1.0, 0.5], [5.0, 2.25, 1.0]]
    assert described["metadata"] == {"channels": ["DAPI"]}


@pytest.mark.parametrize(("dtype", "top"), [("u1", 255), ("i2", 32767), ("f4", 1)])
def test_channels_for_viewers(dtype, top):
    (channel,) = omero(["DAPI"], np.dtype(dtype))["channels"]
    assert channel["label"] == "DAPI"
    assert channel["window"] == {"min": 0, "start": 0, "end": top, "max": top}
