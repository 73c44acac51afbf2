"""What is written of a source beside samples: everything, in its own format or in the other."""

import numpy as np
import pytest
import zarr

from tinc_codec import TINCCodec
from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.destination import Destination, metadata, open_array, remove_chunk
from tinc_codec.jobs.destination_array import WriteSettings
from tinc_codec.jobs.grids import Grid
from tinc_codec.jobs.source_tree import open_source

WRITER = WriteSettings(TINCCodec(max_error=1).config)


@pytest.fixture
def store(tmp_path):
    root = zarr.create_group(tmp_path / "a.zarr", attributes={"name": "all"})
    inner = root.create_group("inner", attributes={"n": 1})
    inner.create_array("image", data=np.arange(8000).reshape(20, 20, 20).astype("u2"), chunks=(10, 10, 10))
    (tmp_path / "a.zarr" / "notes.txt").write_text("of nobody")
    return tmp_path / "a.zarr"


@pytest.mark.parametrize("zarr_format", [None, 2, 3])
def test_groups_attributes_and_other_files_come_along(store, tmp_path, zarr_format):
    destination = Destination.of(open_source(store), WRITER, Grid(zarr_format=zarr_format))
    destination.create(tmp_path / "b.zarr")
    written = zarr.open_group(tmp_path / "b.zarr", mode="r")
    assert dict(written.attrs) == {"name": "all"}
    assert dict(written["inner"].attrs) == {"n": 1}
    image = written["inner/image"]
    assert (image.shape, image.chunks, image.metadata.zarr_format) == ((20,) * 3, (10,) * 3, zarr_format or 3)
    assert destination.others == ["notes.txt"]
    assert (tmp_path / "b.zarr" / "notes.txt").read_text() == "of nobody"
    assert "notes.txt" in destination.objects_at(tmp_path / "b.zarr")


def test_places_are_alike_whose_arrays_have_the_same_metadata(store, tmp_path):
    source = open_source(store)
    same, other = Destination.of(source, WRITER, Grid()), Destination.of(source, WRITER, Grid(chunks=(5, 10, 10)))
    for name, destination in (("b", same), ("c", same), ("d", other)):
        destination.create(tmp_path / name)
    assert same.alike(tmp_path / "b", tmp_path / "c")
    assert not same.alike(tmp_path / "b", tmp_path / "d")
    assert not same.alike(tmp_path / "b", tmp_path / "e")
    assert "attributes" not in metadata(tmp_path / "b", "inner/image")


def test_writing_again_changes_nothing_and_mends_what_is_lost(store, tmp_path):
    destination = Destination.of(open_source(store), WRITER, Grid())
    destination.create(tmp_path / "b")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "b").rglob("zarr.json")}
    destination.create(tmp_path / "b")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    (tmp_path / "b" / "inner" / "zarr.json").unlink()
    destination.create(tmp_path / "b")
    assert dict(zarr.open_group(tmp_path / "b" / "inner", mode="r").attrs) == {"n": 1}


def test_a_chunk_that_is_removed_reads_as_fill_value(tmp_path):
    array = zarr.create_array(tmp_path / "a", data=np.ones((4, 4), "u1"), chunks=(2, 4), fill_value=7)
    remove_chunk(tmp_path / "a", "c/0/0")
    remove_chunk(tmp_path / "a", "c/9/9")  # none is there
    assert open_array(tmp_path / "a", "", "r")[:, 0].tolist() == [7, 7, 1, 1]
    assert array.nchunks_initialized == 1


def test_an_image_of_ome_zarr_keeps_its_format(ome):
    image = ome("0.4")
    with pytest.raises(ConfigurationError, match="its version goes with that"):
        Destination.of(open_source(image), WRITER, Grid(zarr_format=3))
