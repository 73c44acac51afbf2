"""TIFF and OME-TIFF as sources: all images and levels, and what the files say of them."""

import numpy as np
import pytest
import zarr

import tinc_codec
from tinc_codec import ConfigurationError, MissingDependencyError, UnsupportedDataError
from tinc_codec.jobs.tiff import open_tiff

tifffile = pytest.importorskip("tifffile")
QUIET = {"progress": False}


def noise(*shape, dtype="u2"):
    return np.random.default_rng(0).normal(100, 10, shape).astype(dtype)


def described(path):
    attributes, arrays = open_tiff(str(path))
    return attributes, {array.path: array.reader for array in arrays}


def whole(reader):
    return reader.read(tuple(map(slice, reader.shape)))


def plan_of(path, **settings):
    return tinc_codec.plan(path, "o.zarr", tinc_codec.TINCCodec(ratio=8), workers=1, samples=0, **settings).arrays


@pytest.fixture
def ome_tiff(tmp_path):
    v = noise(3, 2, 5, 40, 48)
    said = {
        "axes": "TCZYX",
        "Name": "embryo 7",
        "PhysicalSizeX": 0.3,
        "PhysicalSizeY": 300.0,
        "PhysicalSizeYUnit": "nm",
        "PhysicalSizeZ": 2.0,
        "TimeIncrement": 5.0,
        "TimeIncrementUnit": "min",
        "Channel": {"Name": ["DAPI", "GFP"]},
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", v, metadata=said)
    return tmp_path / "a.ome.tif", v


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_an_ome_tiff_says_comes_along(tmp_path, ome_tiff, bounded, client, zarr_format):
    path, v = ome_tiff
    tinc_codec.compress(path, tmp_path / "o.zarr", bounded, zarr_format=zarr_format, client=client, **QUIET)
    group = zarr.open_group(tmp_path / "o.zarr", mode="r")
    assert group.metadata.zarr_format == zarr_format
    attributes = dict(group.attrs)
    said = attributes["ome"] if zarr_format == 3 else attributes
    (image,) = said["multiscales"]
    assert (said if zarr_format == 3 else image)["version"] == {2: "0.4", 3: "0.5"}[zarr_format]
    assert ("version" in said, "ome" in attributes) == (zarr_format == 3,) * 2
    assert image["name"] == "embryo 7"
    assert image["axes"] == [
        {"name": "t", "type": "time", "unit": "minute"},
        {"name": "c", "type": "channel"},
        {"name": "z", "type": "space", "unit": "micrometer"},
        {"name": "y", "type": "space", "unit": "nanometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    (dataset,) = image["datasets"]
    assert dataset == {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [5, 1, 2, 300, 0.3]}]}
    assert [channel["label"] for channel in said["omero"]["channels"]] == ["DAPI", "GFP"]
    array = group["0"]
    assert np.abs(array[...].astype(int) - v).max() <= 20
    assert array.chunks == (1, 1, 5, 40, 48)
    if zarr_format == 3:
        assert array.metadata.dimension_names == tuple("tczyx")
    else:
        assert array.attrs["_ARRAY_DIMENSIONS"] == list("tczyx")
        assert array.metadata.dimension_separator == "/"


def test_units_and_sizes_that_an_ome_tiff_does_not_give_are_not_invented(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(4, 8, 8), metadata={"axes": "ZYX", "PhysicalSizeX": 0.5})
    (image,) = described(tmp_path / "a.ome.tif")[0]["ome"]["multiscales"]
    assert image["datasets"][0]["coordinateTransformations"] == [{"type": "scale", "scale": [1, 1, 0.5]}]
    assert [axis.get("unit") for axis in image["axes"]] == [None, None, "micrometer"]


def imagej(path, v, axes, **said):
    tifffile.imwrite(
        path,
        v,
        imagej=True,
        resolution=(1 / 0.3, 1 / 0.25),
        metadata={"axes": axes, "spacing": 2.0, "unit": "um", "finterval": 5.0, **said},
    )


def test_an_imagej_hyperstack_is_cut_over_space_whatever_its_order(tmp_path):
    imagej(tmp_path / "a.tif", noise(2, 12, 3, 40, 48), "TZCYX")
    (array,) = plan_of(tmp_path / "a.tif")
    assert array.chunks == (1, 12, 1, 40, 48)
    attributes, _ = described(tmp_path / "a.tif")
    (image,) = attributes["tiff"]["images"]  # OME-Zarr has no word for this order of axes
    assert "ome" not in attributes
    assert image["datasets"][0]["coordinateTransformations"][0]["scale"] == [5.0, 2.0, 1.0, 0.25, 0.3]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("um", "micrometer"), ("micron", "micrometer"), ("nm", "nanometer"), ("pixel", None), ("", None)],
)
def test_units_of_imagej(tmp_path, unit, expected):
    imagej(tmp_path / "a.tif", noise(2, 6, 16, 16), "TZYX", unit=unit)
    (image,) = described(tmp_path / "a.tif")[0]["ome"]["multiscales"]
    sizes = image["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert [axis.get("unit") for axis in image["axes"]] == ["second", *[expected] * 3]
    assert sizes == ([5.0, 2.0, 0.25, 0.3] if expected else [5.0, 1.0, 1.0, 1.0])


def test_all_positions_come_along(tmp_path, bounded, client):
    path = tmp_path / "m.ome.tif"
    with tifffile.TiffWriter(path) as tiff:
        for k in range(3):
            tiff.write(noise(4, 32, 32) + 1000 * k, metadata={"axes": "ZYX", "Name": f"position {k}"})
    tinc_codec.compress(path, tmp_path / "o.zarr", bounded, client=client, **QUIET)
    group = zarr.open_group(tmp_path / "o.zarr", mode="r")
    assert [image["name"] for image in group.attrs["ome"]["multiscales"]] == [f"position {k}" for k in range(3)]
    for k in range(3):
        assert np.abs(group[str(k)][...].astype(int) - noise(4, 32, 32) - 1000 * k).max() <= 20


def test_images_of_different_shapes_and_kinds(tmp_path):
    with tifffile.TiffWriter(tmp_path / "m.tif") as tiff:
        tiff.write(noise(4, 32, 32), photometric="minisblack", contiguous=False)
        tiff.write(noise(16, 20, 3, dtype="u1"), photometric="rgb", contiguous=False)
        tiff.write(noise(24, 28, dtype="f4"), contiguous=False)
    _, readers = described(tmp_path / "m.tif")
    assert [(r.shape, str(r.dtype)) for r in readers.values()] == [
        ((4, 32, 32), "uint16"),
        ((3, 16, 20), "uint8"),
        ((24, 28), "float32"),
    ]


def test_levels_of_a_pyramid(tmp_path, bounded, client):
    v, path = noise(6, 64, 64), tmp_path / "p.ome.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        tiff.write(v, subifds=2, tile=(32, 32), metadata={"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5})
        tiff.write(v[:, ::2, ::2], subfiletype=1, tile=(32, 32))
        tiff.write(v[:, ::4, ::4], subfiletype=1, tile=(16, 16))
    tinc_codec.compress(path, tmp_path / "o.zarr", bounded, client=client, **QUIET)
    group = zarr.open_group(tmp_path / "o.zarr", mode="r")
    (image,) = group.attrs["ome"]["multiscales"]
    scales = {d["path"]: d["coordinateTransformations"][0]["scale"] for d in image["datasets"]}
    assert scales == {"0": [1, 0.5, 0.5], "0_1": [1, 1, 1], "0_2": [1, 2, 2]}
    for level, name in enumerate(scales):
        assert np.abs(group[name][...].astype(int) - v[:, :: 2**level, :: 2**level]).max() <= 20


@pytest.mark.parametrize("shape", [(20, 24, 3), (20, 24, 4), (5, 20, 24, 3)])
def test_samples_of_a_pixel_become_channels(tmp_path, shape):
    v = noise(*shape, dtype="u1")
    tifffile.imwrite(tmp_path / "a.tif", v, photometric="rgb", metadata={"axes": "ZYXS"[-len(shape) :]})
    attributes, readers = described(tmp_path / "a.tif")
    reader = readers["0"]
    assert reader.names == tuple("czyx" if v.ndim == 4 else "cyx")
    expected = np.moveaxis(v, -1, 0)
    assert reader.shape == expected.shape
    assert (whole(reader) == expected).all()
    part = tuple(slice(1, n - 1) for n in reader.shape)
    assert (reader.read(part) == expected[part]).all()
    assert "ome" in attributes
    (array,) = plan_of(tmp_path / "a.tif")
    assert array.chunks[0] == 1


@pytest.mark.parametrize(
    ("axes", "shape", "chunks"),
    [
        ("QYX", (30, 40, 48), (30, 40, 48)),  # a plain stack, of which the file says no more
        ("TYX", (30, 40, 48), (1, 40, 48)),
        ("ZCYX", (30, 2, 40, 48), (30, 1, 40, 48)),
        ("CZYX", (2, 30, 40, 48), (1, 30, 40, 48)),
        ("YX", (40, 48), (40, 48)),
    ],
)
def test_chunks_are_cut_by_the_names_of_axes(tmp_path, axes, shape, chunks):
    tifffile.imwrite(tmp_path / "a.tif", noise(*shape), metadata={"axes": axes})
    (array,) = plan_of(tmp_path / "a.tif")
    assert array.chunks == chunks


def test_ome_tiff_of_several_files_and_one_of_them_missing(tmp_path):
    tifffile.imwrite(tmp_path / "b.tif", noise(8, 8) + 500)
    uuid = "urn:uuid:00000000-0000-0000-0000-00000000000{}"
    planes = "".join(
        f'<TiffData FirstZ="{k}" IFD="0"><UUID FileName="{name}">{uuid.format(k)}</UUID></TiffData>'
        for k, name in enumerate(("a.ome.tif", "b.ome.tif"))
    )
    for k, name in enumerate(("a.ome.tif", "b.ome.tif")):
        xml = (
            '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{uuid.format(k)}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            f'SizeX="8" SizeY="8" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:0:0"/>'
            f"{planes}</Pixels></Image></OME>"
        )
        tifffile.imwrite(tmp_path / name, noise(8, 8) + 500 * k, description=xml, metadata=None)
    _, readers = described(tmp_path / "a.ome.tif")
    assert (whole(readers["0"]) == np.stack([noise(8, 8), noise(8, 8) + 500])).all()
    (tmp_path / "b.ome.tif").unlink()
    with pytest.raises(ConfigurationError, match="lacks planes: a file that belongs to it is missing"):
        described(tmp_path / "a.ome.tif")


@pytest.mark.parametrize("content", [b"", b"no tiff", b"II*\0\x08\0\0\0", b"\x89PNG\r\n"])
def test_what_is_no_tiff_is_named(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"a.tif' is (not a TIFF that can be read|a TIFF that holds no image)"):
        open_tiff(str(tmp_path / "a.tif"))
    with pytest.raises(ConfigurationError, match="does not exist"):
        open_tiff(str(tmp_path / "missing.tif"))


def test_a_compression_that_cannot_be_decoded_is_named_before_the_work(tmp_path, monkeypatch):
    pytest.importorskip("imagecodecs")
    tifffile.imwrite(tmp_path / "a.tif", noise(8, 8), compression="lzw")
    assert (whole(described(tmp_path / "a.tif")[1]["0"]) == noise(8, 8)).all()

    class Without:
        def __getitem__(self, key):
            raise KeyError(f"{key!r} requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", Without())
    with pytest.raises(MissingDependencyError, match=r"cannot be decoded .* pip install imagecodecs"):
        open_tiff(str(tmp_path / "a.tif"))


def test_a_dtype_that_cannot_be_stored_is_named_with_its_image(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(noise(8, 8), contiguous=False)
        tiff.write(noise(8, 8) > 100, contiguous=False)
    with pytest.raises(UnsupportedDataError, match=r"image 1 of .*dtype bool is not supported"):
        open_tiff(str(tmp_path / "a.tif"))
