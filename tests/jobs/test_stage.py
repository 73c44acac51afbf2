"""What an earlier job left is gone on with, or refused."""

import shutil

import numpy as np
import pytest
import zarr

import tinc_codec
from tests.jobs.results import QUIET, close, compressed
from tinc_codec import ConfigurationError, TINCCodec
from tinc_codec.errors import SourceError


def test_destinations_of_others_are_left_alone(tmp_path, source, bounded, client, files):
    for name in ("b.zarr", "c.zarr"):
        zarr.create_array(tmp_path / name, data=np.ones((4, 4)))
    before = files(tmp_path / "b.zarr")
    with pytest.raises(ConfigurationError, match="exists and is not of this job"):
        tinc_codec.compress(source, tmp_path / "b.zarr", bounded, client=client, **QUIET)
    tinc_codec.compress(source, tmp_path / "d.zarr", bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match="exists and is not of this job"):
        tinc_codec.compress(tmp_path / "c.zarr", tmp_path / "d.zarr", bounded, client=client, **QUIET)
    assert files(tmp_path / "b.zarr") == before


def test_new_data_at_a_place_that_was_compressed_in_place(tmp_path, source, volume, bounded, client):
    tinc_codec.compress(source, None, bounded, client=client, keep_original=True, **QUIET)
    shutil.rmtree(source)
    zarr.create_array(source, data=volume + 1000, chunks=(16, 32, 32))
    with pytest.raises(ConfigurationError, match="original of an earlier job"):
        tinc_codec.compress(source, None, bounded, client=client, **QUIET)
    assert (tmp_path / "a.zarr.tinc" / "old").exists()
    assert (zarr.open_array(source, mode="r")[:] == volume + 1000).all()


@pytest.mark.parametrize("target", [{"max_error": 20}, {"ratio": 8}])
@pytest.mark.parametrize("verify", [True, False])
def test_a_source_that_has_changed_is_noticed(tmp_path, volume, client, files, target, verify):
    codec = TINCCodec(effort=1, **target)
    given = volume.copy()
    given[:20, :, :] = 0  # chunks that are not stored at all
    zarr.create_array(tmp_path / "a.zarr", data=given, chunks=(20, 50, 60))
    settings = {"client": client, "verify": verify, **QUIET}
    assert tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", codec, **settings).done == 2
    before = files(tmp_path / "b.zarr")
    zarr.open_array(tmp_path / "a.zarr")[...] = volume[:, ::-1]
    with pytest.raises(SourceError, match=r"2 chunks, and had 1.*resume=False"):
        tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", codec, **settings)
    assert files(tmp_path / "b.zarr") == before
    again = tinc_codec.compress(tmp_path / "a.zarr", tmp_path / "b.zarr", codec, resume=False, **settings)
    assert again.done == 2
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")[:]
    assert np.sqrt(np.mean((got.astype(float) - volume[:, ::-1]) ** 2)) < np.std(volume) / 2


def test_new_data_in_place_of_what_was_compressed_in_place_is_compressed_whole(tmp_path, volume, bounded, client):
    given = volume.copy()
    given[:16] = 0
    zarr.create_array(tmp_path / "a.zarr", data=given, chunks=(16, 32, 32))
    tinc_codec.compress(tmp_path / "a.zarr", None, bounded, client=client, **QUIET)
    zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=(16, 32, 32), overwrite=True)
    tinc_codec.compress(tmp_path / "a.zarr", None, bounded, client=client, **QUIET)
    assert compressed(tmp_path / "a.zarr")
    assert close(zarr.open_array(tmp_path / "a.zarr", mode="r")[:], volume)
