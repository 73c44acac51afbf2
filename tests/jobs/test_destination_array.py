"""Arrays are encoded, copied or recoded, with the source's grid and metadata unless others are asked for."""

import numpy as np
import pytest
import zarr

from tinc_codec import Config, ConfigurationError
from tinc_codec.hosts.zarr3 import is_compressed
from tinc_codec.jobs.destination_array import WriteSettings, destination_array
from tinc_codec.jobs.grids import Grid
from tinc_codec.jobs.source_tree import ALREADY, Member, open_source
from tinc_codec.jobs.sources import ArrayReader

TINC = WriteSettings(Config(psnr=45, effort=2, exact_values=(7,)))
PLAIN = WriteSettings(None, {2: {"compressors": None}, 3: {"compressors": None}})


def member(tmp_path, zarr_format=3, exact=None, lossless=False, missing=(), **settings):
    array = zarr.create_array(
        tmp_path / f"{zarr_format}.zarr",
        data=np.ones((8, 8), "u2"),
        chunks=(4, 8),
        zarr_format=zarr_format,
        fill_value=3,
        attributes={"unit": "µm"},
        **settings,
    )
    (one,) = open_source(array).members
    return Member("x", one.reader, one.array, exact, lossless, missing)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_image_is_encoded_in_its_own_grid_with_its_metadata(tmp_path, zarr_format):
    own = destination_array(member(tmp_path, zarr_format, missing=(0, 7)), TINC, Grid())
    assert (own.path, own.mode, own.chunks, own.shards) == ("x", "encode", (4, 8), None)
    assert own.config == Config(psnr=45, effort=2, exact_values=(7, 0))
    assert (own.arguments["fill_value"], own.arguments["attributes"]) == (3, {"unit": "µm"})
    assert (own.raw_bytes, len(own.regions)) == (128, 2)
    array = zarr.create_array(tmp_path / "made", shape=(8, 8), dtype="u2", chunks=own.chunks, **own.arguments)
    assert array.metadata.zarr_format == zarr_format
    assert is_compressed(array.metadata.to_dict())


def test_what_stays_exact_is_copied_as_it_is_and_keeps_its_grid(tmp_path):
    one = destination_array(member(tmp_path, exact="a label image"), TINC, Grid(chunks=(2, 2)))
    assert (one.mode, one.config, one.chunks, one.arguments) == ("copy", None, (4, 8), {})


def test_what_stays_exact_and_is_smaller_by_tinc_is_encoded_losslessly(tmp_path):
    one = destination_array(member(tmp_path, exact="asked for", lossless=True), TINC, Grid(chunks=(2, 2)))
    assert (one.mode, one.config, one.chunks) == ("encode", Config(max_error=0, effort=2), (4, 8))


def test_in_another_format_what_stays_exact_is_recoded(tmp_path):
    one = destination_array(member(tmp_path, exact="small"), TINC, Grid(zarr_format=2))
    assert (one.mode, one.config, one.arguments["zarr_format"]) == ("recode", None, 2)


def test_an_export_writes_all_with_another_codec_but_what_is_plain_already(tmp_path):
    packed = destination_array(member(tmp_path, exact=ALREADY), PLAIN, Grid(chunks=(2, 8)))
    assert (packed.mode, packed.chunks, packed.arguments["compressors"]) == ("recode", (2, 8), None)
    labels = destination_array(member(tmp_path, 2, exact="a label image"), PLAIN, Grid())
    assert labels.mode == "copy"


def test_chunks_that_do_not_fit_are_refused_for_what_is_written_anew_alone(tmp_path):
    with pytest.raises(ConfigurationError, match="do not fit"):
        destination_array(member(tmp_path), TINC, Grid(chunks=(2, 2, 2)))
    assert destination_array(member(tmp_path, 2, exact="small"), TINC, Grid(chunks=(2, 2, 2))).mode == "copy"


def test_names_of_axes_go_where_the_format_has_them(tmp_path):
    newer = destination_array(member(tmp_path, dimension_names=["y", "x"]), TINC, Grid(zarr_format=2))
    assert newer.arguments["attributes"]["_ARRAY_DIMENSIONS"] == ["y", "x"]
    older = member(tmp_path, 2)
    older.array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    again = destination_array(older, TINC, Grid(zarr_format=3))
    assert again.arguments["dimension_names"] == ["y", "x"]
    assert "_ARRAY_DIMENSIONS" not in again.arguments["attributes"]


@pytest.mark.parametrize("zarr_format", [None, 2, 3])
def test_what_is_no_zarr_is_described_in_either_format(zarr_format):
    reader = ArrayReader(np.ones((4, 4), "f4"))
    one = destination_array(
        Member("", reader, None, names=("y", "x"), attributes={"a": 1}),
        TINC,
        Grid(zarr_format=zarr_format, chunks=(2, 4)),
    )
    assert one.chunks == (2, 4)
    if zarr_format == 2:
        assert one.arguments["attributes"] == {"a": 1, "_ARRAY_DIMENSIONS": ["y", "x"]}
    else:
        assert (one.arguments["dimension_names"], one.arguments["attributes"]) == (["y", "x"], {"a": 1})
