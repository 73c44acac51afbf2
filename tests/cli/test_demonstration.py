"""What the demo does: the middle of any volume, through a Zarr array, measured where it is finite."""

import io

import numpy as np
import pytest
from rich.console import Console

from tinc_codec import TINCCodec
from tinc_codec.cli.demonstration import LARGEST, load, run
from tinc_codec.errors import UnsupportedDataError
from tinc_codec.phantom import light_sheet


def test_of_a_large_volume_the_middle_is_taken(tmp_path):
    volume = np.arange(70 * 300 * 20, dtype="i4").reshape(70, 300, 20)
    np.save(tmp_path / "x.npy", volume)
    assert (load(tmp_path / "x.npy", 0) == volume[3:67, 86:214]).all()
    assert load(None, 1).shape == LARGEST
    np.save(tmp_path / "y.npy", volume.reshape(1, 70, 1, 300, 20))
    assert (load(tmp_path / "y.npy", 0) == volume[3:67, 86:214]).all()
    np.save(tmp_path / "z.npy", np.arange(7 * 5).reshape(7, 1, 1, 5, 1, 1))
    assert (load(tmp_path / "z.npy", 0) == np.arange(35).reshape(7, 5)).all()
    frames = np.arange(5 * 2 * 3 * 4).reshape(5, 2, 3, 4)
    np.save(tmp_path / "t.npy", frames)
    assert (load(tmp_path / "t.npy", 0) == frames[2]).all()


@pytest.mark.parametrize("volume", [np.zeros((3, 0)), np.zeros((3, 4), bool)])
def test_what_holds_no_numbers_is_refused_when_it_is_read(tmp_path, volume):
    np.save(tmp_path / "x.npy", volume)
    with pytest.raises(UnsupportedDataError, match="the input has"):
        load(tmp_path / "x.npy", 0)


def test_figures_are_of_what_is_finite(tmp_path):
    volume = light_sheet((16, 24, 24)).astype("f4")
    volume[3, 4, 5:9] = np.nan
    console = Console(file=io.StringIO())
    result, decoded = run(volume, tmp_path / "v.zarr", TINCCodec(max_error=20, effort=1), 3, console)
    assert (np.isnan(decoded) == np.isnan(volume)).all()
    assert 0 < result.rmse < result.max_error <= 20
    assert result.max_error == np.nanmax(np.abs(decoded - volume))
    assert result.noise > 0
    assert result.as_json()["ratio"] == volume.nbytes / result.stored_bytes
