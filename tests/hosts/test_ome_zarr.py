"""What OME-Zarr's attributes say, well-formed or not."""

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts import ome_zarr as ome

IMAGE = {"axes": [{"name": n} for n in "zyx"], "datasets": [{"path": "0"}, {"path": "1"}]}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab/.", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "datasets", "axes", "name", "type", "scale", "images"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["ome", "multiscales", "plate", "well", "labels", "series", "bioformats2raw.layout"]),
    JUNK,
    max_size=3,
)


def both(attributes):
    """Attributes as format 0.4 and as format 0.5 have them."""
    return attributes, {"ome": {"version": "0.5", **attributes}}


@pytest.mark.parametrize("attributes", both({"multiscales": [IMAGE]}))
def test_an_image_names_its_levels_and_may_have_labels(attributes):
    assert ome.is_ome({"": attributes})
    assert ome.is_image(attributes)
    assert not ome.is_label(attributes)
    assert list(ome.paths(attributes)) == ["0", "1"]
    assert list(ome.optional_paths(attributes)) == ["labels"]
    assert list(ome.levels({"a/b": attributes})) == [["a/b/0", "a/b/1"]]
    assert ome.first_level(attributes) == "0"


@pytest.mark.parametrize(
    ("attributes", "paths"),
    [
        ({"plate": {"wells": [{"path": "A/1"}, {"path": "B/2"}]}}, ["A/1", "B/2"]),
        ({"well": {"images": [{"path": "0"}]}}, ["0"]),
        ({"labels": ["cells", "Zellkerne ä"]}, ["cells", "Zellkerne ä"]),
        ({"series": ["0", "1"]}, ["../0", "../1"]),
    ],
)
def test_groups_name_what_is_below_or_beside_them(attributes, paths):
    for each in both(attributes):
        assert list(ome.paths(each)) == paths
        assert not ome.is_image(each)


def test_a_collection_has_images_by_number_and_a_document_beside_them():
    for attributes in both({"bioformats2raw.layout": 3}):
        assert ome.is_collection(attributes)
        assert list(ome.optional_paths(attributes)) == ["OME", "0"]
        assert ome.documents({"": attributes, "x": attributes, "y": {}}) == [
            "OME/METADATA.ome.xml",
            "x/OME/METADATA.ome.xml",
        ]


@given(attributes=ATTRIBUTES, place=st.sampled_from(["", "a"]))
def test_whatever_attributes_hold_is_passed_over_where_it_makes_no_sense(attributes, place):
    groups = {place: attributes}
    assert ome.is_ome(groups) in (True, False)
    for listing in (ome.paths(attributes), ome.optional_paths(attributes), ome.documents(groups)):
        assert all(isinstance(path, str) for path in listing)
    assert all(isinstance(path, str) for image in ome.levels(groups) for path in image)
    first = ome.first_level(attributes)
    assert first is None or isinstance(first, str)
    array = zarr.create_array(MemoryStore(), shape=(2, 2), dtype="u1")
    assert len(ome.axes_of(attributes, array)) == 2
    axes, scale, translation = ome.scale_of(attributes, 2)
    assert axes is None or len(axes) == 2
    assert len(scale) == len(translation) == 2


def test_attributes_in_a_zarr_format():
    image = {"name": "a", "axes": [], "datasets": []}
    newer = {"ome": {"version": "0.5", "multiscales": [image], "omero": {}}, "other": 1}
    assert ome.in_format(newer, 3) == newer
    assert ome.in_format(newer, 2) == {"multiscales": [{**image, "version": "0.4"}], "omero": {}, "other": 1}
    assert ome.in_format({"other": 1}, 2) == {"other": 1}
    assert not ome.is_image(ome.in_format({"ome": {"version": "0.5", "labels": ["cells"]}}, 2))


@pytest.mark.parametrize(
    ("finer", "coarser", "factors"),
    [((8, 9, 1), (4, 5, 1), (2, 2, 1)), ((7, 9), (3, 3), (2, 3)), ((5, 0), (5, 0), (1, 1)), ((), (), ())],
)
def test_factors_are_whole_up_to_what_the_last_cell_lacks(finer, coarser, factors):
    assert ome.factors("1", finer, coarser) == factors


@pytest.mark.parametrize(("finer", "coarser"), [((8, 10), (8, 4)), ((4, 4), (8, 8)), ((3, 3), (0, 3)), ((3, 3), (3,))])
def test_levels_that_are_no_whole_fraction_are_refused_by_name(finer, coarser):
    with pytest.raises(ConfigurationError, match=r"level 'im/1' of shape .* compress every level \(pyramid='all'\)"):
        ome.factors("im/1", finer, coarser)


def test_names_of_axes_are_the_images_the_arrays_own_xarrays_or_the_usual():
    def array(**settings):
        return zarr.create_array(MemoryStore(), shape=(2, 3, 4), dtype="u1", **settings)

    own = array(dimension_names=["p", "q", "r"])
    assert ome.axes_of({"multiscales": [IMAGE]}, own) == ("z", "y", "x")
    assert ome.axes_of({}, own) == ("p", "q", "r")
    assert ome.axes_of({}, array(zarr_format=2, attributes={"_ARRAY_DIMENSIONS": ["t", "y", "x"]})) == ("t", "y", "x")
    assert ome.axes_of({}, array(dimension_names=["p", None, "r"])) == ("z", "y", "x")
    assert ome.axes_of({}, zarr.create_array(MemoryStore(), shape=(1,) * 7, dtype="u1")) == ("",) * 7
    assert [ome.kind_of(name) for name in ("T", "Channel", "c", "z", "q")] == [
        "time",
        "channel",
        "channel",
        "space",
        "space",
    ]


def test_scales_and_translations_are_applied_one_after_the_other():
    steps = [
        {"type": "scale", "scale": [2.0, 0.5]},
        {"type": "translation", "translation": [10.0, 1.0]},
        {"type": "scale", "scale": [3.0, 1.0]},
        {"type": "identity"},
    ]
    image = {"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    assert ome.scale_of({"multiscales": [image]}, 2) == (image["axes"], [6.0, 0.5], [30.0, 1.0])
    assert ome.scale_of({}, 2) == (None, [1.0, 1.0], [0.0, 0.0])
    assert ome.scale_of({"multiscales": [{**image, "axes": ["y", "x"]}]}, 2)[0] is None  # as version 0.3 has them
    assert np.prod(ome.scale_of({"multiscales": [image]}, 3)[1]) == 1  # of another rank than the array
