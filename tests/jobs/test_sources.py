import pickle

import numpy as np
import pytest
import zarr

from tinc_codec.jobs.sources import ArrayReader, DaskSource, MeanSource, ZarrSource, block_mean
from tinc_codec.jobs.tiff import open_tiff

BOX = np.s_[3:20, 10:40, 5:33]


def test_every_reader_reads_the_same_after_pickling(tmp_path, source, volume):
    da = pytest.importorskip("dask.array")
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", volume)
    readers = [
        ZarrSource(zarr.open_array(source, mode="r")),
        open_tiff(str(tmp_path / "a.tif"))[1][0].reader,
        ArrayReader(volume),
        DaskSource(da.from_array(volume, chunks=(16, 32, 32))),
    ]
    for reader in readers:
        assert reader.shape == volume.shape
        assert reader.dtype == volume.dtype
        assert reader.identity == pickle.loads(pickle.dumps(reader)).identity
        part = pickle.loads(pickle.dumps(reader.part(BOX) or reader))
        assert (part.read(BOX) == volume[BOX]).all()


def test_a_dask_part_holds_no_other_blocks(volume):
    da = pytest.importorskip("dask.array")
    reader = DaskSource(da.from_array(volume, chunks=(10, 10, 10)) + 1)
    assert len(pickle.dumps(reader.part(np.s_[0:10, 0:10, 0:10]))) < volume.nbytes / 10


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_block_means_are_those_of_blocks(dtype):
    x = (np.random.default_rng(0).normal(20, 9, (7, 8, 9)).clip(0)).astype(dtype)
    got = block_mean(x, (2, 4, 1))
    assert got.dtype == x.dtype
    assert got.shape == (4, 2, 9)
    for index in np.ndindex(got.shape):
        z, y, k = index
        mean = x[2 * z : 2 * z + 2, 4 * y : 4 * y + 4, k].astype("f8").mean()
        assert got[index] == pytest.approx(np.rint(mean) if np.dtype(dtype).kind in "iu" else mean, rel=1e-6)


def test_means_of_a_region_are_a_region_of_the_means(source, volume):
    whole = block_mean(volume, (2, 2, 4))
    reader = MeanSource(zarr.open_array(source, mode="r"), (2, 2, 4), whole.shape)
    box = np.s_[5:20, 3:25, 8:15]
    assert (reader.read(box) == whole[box]).all()
