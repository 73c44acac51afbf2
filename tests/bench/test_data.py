import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.bench.data import (
    choose_crop,
    choose_samples,
    crop_edges,
    open_image,
    parse_crop,
    read_crop,
    shown,
    spatial_axes,
)
from tinc_codec.errors import ConfigurationError
from tinc_codec.phantom import light_sheet

VOLUME = light_sheet((16, 40, 48))


def stored(folder, kind):
    """The volume as a file or store of a kind."""
    place = folder / f"a.{kind}"
    if kind == "npy":
        np.save(place, VOLUME)
    elif kind == "tif":
        pytest.importorskip("tifffile").imwrite(place, VOLUME)
    elif kind == "zarr":
        zarr.create_array(place, data=VOLUME, dimension_names=("z", "y", "x"))
    else:
        group = zarr.open_group(place, mode="w")
        group.create_array("0", data=VOLUME)
        group.create_array("1", data=VOLUME[:, ::2, ::2])
        group.create_array("labels/cells", data=np.tile((VOLUME > 300).astype("u1"), (2, 2, 2)))
        axes = [{"name": name, "type": "space"} for name in "zyx"]
        scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
        levels = [{"path": path, "coordinateTransformations": scale} for path in "01"]
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    return place


@pytest.mark.parametrize("kind", ["npy", "tif", "zarr", "ome"])
def test_data_of_every_kind(tmp_path, kind):
    place = stored(tmp_path, kind)
    image = open_image(str(place))
    assert image.exact is None
    assert image.name == (f"{place}/0" if kind in ("ome", "tif") else str(place))
    samples, lacking = read_crop(image, parse_crop("0:16,:,:", image.reader.shape))
    assert (samples == VOLUME).all()
    assert lacking == 0


def test_an_array_that_is_compressed_already_and_one_that_stays_exact_say_so(tmp_path):
    zarr.create_array(tmp_path / "c.zarr", data=VOLUME, chunks=VOLUME.shape, **zarr_kwargs(TINCCodec(effort=1)))
    assert "already compressed" in open_image(str(tmp_path / "c.zarr")).exact
    np.save(tmp_path / "a.npy", (VOLUME > 300).astype("u1"))
    assert "distinct values" in open_image(str(tmp_path / "a.npy")).exact


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"nothing", "not an array that NumPy saved"),
        ("b.npy", None, "is not there"),
        ("b.zarr", None, "is not there"),
        ("c.tif", b"nothing", "not a TIFF that can be read"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        open_image(str(tmp_path / name))


def test_groups_without_images_and_empty_arrays_are_refused(tmp_path):
    group = zarr.open_group(tmp_path / "g.zarr", mode="w")
    with pytest.raises(ConfigurationError, match="hold no image"):
        open_image(str(tmp_path / "g.zarr"))
    group.create_array("labels/a", data=(VOLUME > 300).astype("u1"))
    group.create_array("x", data=np.arange(8.0))
    with pytest.raises(ConfigurationError, match="'labels/a': a label image"):
        open_image(str(tmp_path / "g.zarr"))
    np.save(tmp_path / "e.npy", np.zeros((3, 0)))
    with pytest.raises(ConfigurationError, match="nothing to compress"):
        open_image(str(tmp_path / "e.npy"))


def test_crops_as_they_are_written():
    assert parse_crop("0:4, :,2:, 7", (9, 5, 6, 8)) == (slice(0, 4), slice(0, 5), slice(2, 6), slice(7, 8))
    crop = (slice(1, 3), slice(0, 5))
    assert parse_crop(shown(crop), (9, 5)) == crop


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0:4", "has 1 parts, and the data 2 axes"),
        ("0:4,0:9", "must lie within 0:8"),
        ("3:3,:", "must lie within"),
        ("-1:3,:", "must lie within"),
        ("a:b,:", "start:stop or an index"),
        ("1:2:3,:", "start:stop or an index"),
    ],
)
def test_crops_that_are_wrong_are_explained(text, message):
    with pytest.raises(ConfigurationError, match=message):
        parse_crop(text, (4, 8))


@pytest.mark.parametrize(
    ("shape", "names", "axes"),
    [
        ((90, 80, 70), (), [0, 1, 2]),
        ((5, 2, 20, 80, 70), ("t", "c", "z", "y", "x"), [2, 3, 4]),
        ((5, 20, 80, 70), ("T", "Z", "Y", "X"), [1, 2, 3]),
        ((75, 2, 75, 75), (), [0, 2, 3]),
        ((50, 20, 80, 70), (), [1, 2, 3]),
        ((3, 80, 70), ("c", "y", "x"), [1, 2]),
        ((80, 1, 70), (), [0, 2]),
    ],
)
def test_axes_of_a_crop(shape, names, axes):
    assert spatial_axes(shape, names) == axes


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=3), st.integers(9, 20))
def test_edges_fill_what_they_may_and_no_more(shape, power):
    edges = crop_edges(tuple(shape), range(len(shape)), 2**power)
    assert all(1 <= e <= n for e, n in zip(edges, shape, strict=True))
    assert np.prod(edges, dtype=object) <= 2**power
    if np.prod(shape, dtype=object) <= 2**power:
        assert edges == tuple(shape)


def test_the_busiest_crop_is_chosen_and_always_the_same(tmp_path):
    rng = np.random.default_rng(0)
    volume = rng.normal(100, 20, (64, 64, 64))  # noise everywhere, and structure in one corner
    volume[40:, 40:, :24] += 300 * np.sin(np.indices((24, 24, 24)).sum(0) / 3)
    np.save(tmp_path / "a.npy", volume.astype("f4"))
    image = open_image(str(tmp_path / "a.npy"))
    crop = choose_crop(image, 24**3)
    assert crop == choose_crop(image, 24**3) == (slice(40, 64), slice(40, 64), slice(0, 24))
    first, *others = choose_samples(image, 24**3)
    assert first == crop
    assert len({*map(shown, others), shown(first)}) == 3


def test_small_data_are_taken_whole_and_channels_in_the_middle(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((30, 4, 9, 20, 20), "u1"))
    image = open_image(str(tmp_path / "a.npy"))
    assert choose_crop(image) == (slice(14, 15), slice(1, 2), slice(0, 9), slice(0, 20), slice(0, 20))
    assert read_crop(image, choose_crop(image))[0].shape == (9, 20, 20)
    assert len(choose_samples(image, 10**6)) == 1


def test_what_is_not_finite_is_counted_and_filled(tmp_path):
    volume = VOLUME.astype(">f4")
    volume[2, 3, 4:9] = np.nan
    volume[0, 0, 0] = np.inf
    np.save(tmp_path / "a.npy", volume)
    np.save(tmp_path / "b.npy", np.full((4, 4), np.nan))
    image = open_image(str(tmp_path / "a.npy"))
    samples, lacking = read_crop(image, choose_crop(image))
    assert lacking == 6
    assert np.isfinite(samples).all()
    assert samples.dtype == np.dtype("f4")
    image = open_image(str(tmp_path / "b.npy"))
    with pytest.raises(ConfigurationError, match="no finite sample"):
        read_crop(image, choose_crop(image))
