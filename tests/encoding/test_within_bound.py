"""What is asked of every chunk is kept in every chunk, through Zarr too."""

import logging
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from tinc_codec import TINCCodec, decode, metrics, zarr_kwargs
from tinc_codec.config import Config
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.prepared import prepare
from tinc_codec.encoding.verified import Exactly
from tinc_codec.encoding.within_bound import Bounded, goal
from tinc_codec.hosts.zarr3 import stored_chunks
from tinc_codec.phantom import light_sheet
from tinc_codec.runtime.progress import TrainingProgress

pytest.importorskip("torch")
CHECK = Path(__file__).parents[2] / ".ci" / "check_bound.py"


@pytest.fixture(scope="module")
def volume():
    return light_sheet((40, 72, 50), seed=4)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("error", [0, 3, 60])
def test_no_voxel_of_any_chunk_is_off_by_more(tmp_path, volume, error, zarr_format, monkeypatch, capsys):
    codec = TINCCodec(max_error=error, effort=1)
    zarr.create_array(
        tmp_path / "a.zarr", data=volume, chunks=(32, 40, 50), **zarr_kwargs(codec, zarr_format=zarr_format)
    )
    np.save(tmp_path / "a.npy", volume)
    monkeypatch.setattr(sys, "argv", [str(CHECK), str(tmp_path / "a.zarr"), str(tmp_path / "a.npy"), str(error)])
    runpy.run_path(str(CHECK))
    assert "no violation" in capsys.readouterr().out
    volume = volume.copy()
    volume[5, 6, 7] += 100
    np.save(tmp_path / "a.npy", volume)
    with pytest.raises(SystemExit, match="1 of 144000 voxels"):
        runpy.run_path(str(CHECK))


@pytest.mark.parametrize("psnr", [30, 45, 60])
def test_every_chunk_has_the_psnr(tmp_path, volume, psnr):
    codec = TINCCodec(psnr=psnr, effort=1)
    array = zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=(20, 36, 50), **zarr_kwargs(codec))
    reached = []
    for z in range(0, 40, 20):
        for y in range(0, 72, 36):
            box = np.s_[z : z + 20, y : y + 36]
            reached.append(metrics.psnr(volume[box], array[box], float(np.ptp(volume[box].astype(float)))))
    assert min(reached) >= psnr
    assert min(reached) < psnr + 3  # and not by a waste of bytes
    for _, data in stored_chunks(tmp_path / "a.zarr"):
        assert inspect(data).quality.psnr >= psnr


def test_the_data_range_is_what_the_psnr_refers_to(volume):
    near, far = (TINCCodec(psnr=50, data_range=r, effort=1).encode(volume) for r in (1000, 65535))
    assert len(far) < len(near) / 3
    for data, data_range in ((near, 1000), (far, 65535)):
        assert metrics.psnr(volume, decode(data), data_range) >= 50


def test_a_looser_target_takes_fewer_bytes(volume):
    sizes = [len(TINCCodec(max_error=error, effort=1).encode(volume)) for error in (0, 1, 4, 20, 100)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 20


@pytest.mark.parametrize("dtype", ["f4", ">f8", "f2"])
def test_fractional_floats(dtype):
    x = (np.sin(np.indices((30, 40, 20)).sum(0) / 7) + np.random.default_rng(0).normal(0, 0.01, (30, 40, 20))).astype(
        dtype
    )
    data = TINCCodec(max_error=0.02, effort=1).encode(x)
    assert np.abs(decode(data).astype("f8") - x.astype("f8")).max() <= 0.02
    assert len(data) < x.nbytes / 8 * (2 if dtype == "f2" else 1)
    lossless = TINCCodec(max_error=0).encode(x)
    assert decode(lossless).tobytes() == x.tobytes()
    assert len(lossless) < x.nbytes


def test_a_network_is_part_of_it_where_it_pays():
    z, y, x = np.indices((48, 64, 64)) / 10.0
    clean = 2000 + 600 * np.sin(y + np.sin(z)) * np.cos(x)
    volume = (clean + np.random.default_rng(0).normal(0, 60, clean.shape)).astype("u2")
    info = inspect(TINCCodec(max_error=180, effort=2, network_share=0.1).encode(volume))
    assert info.kind == "sine tree and residual"
    assert info.sections["weights"] < info.sections["residual"]


def test_a_network_alone_may_reach_a_psnr(caplog):
    z, y, x = np.indices((32, 64, 64)) / 16.0
    clean = 2000 + 600 * np.sin(y + np.sin(z)) * np.cos(x)
    volume = (clean + np.random.default_rng(0).normal(0, 100, clean.shape)).astype("u2")
    data = TINCCodec(psnr=20, effort=2).encode(volume)
    assert inspect(data).quality.psnr >= 20
    assert len(data) < 1200


def test_exact_values_come_back_and_are_left_out_of_the_quality(volume):
    given = volume.copy()
    rng = np.random.default_rng(0)
    given[rng.random(given.shape) < 0.2] = 0
    given[rng.random(given.shape) < 0.01] = 65535
    for target in ({"ratio": 8}, {"psnr": 40}, {"max_error": 30}):
        data = TINCCodec(exact_values=[0, 65535], effort=1, **target).encode(given)
        got = decode(data)
        for value in (0, 65535):
            assert ((got == value) == (given == value)).all()
        assert inspect(data).quality.high < 65535
        assert {"exact", "exact_in_context"} & inspect(data).sections.keys()


@pytest.mark.parametrize("target", [{"ratio": 20}, {"psnr": 30}, {"max_error": 6}])
def test_nothing_else_becomes_an_exact_value(target, caplog):
    """A value in the middle of the others: what would be decoded to it by chance is corrected."""
    rng = np.random.default_rng(0)
    given = np.rint(40 * np.sin(np.indices((24, 40, 40)).sum(0) / 9) + rng.normal(0, 2, (24, 40, 40))).astype("i2")
    data = TINCCodec(exact_values=[7], effort=1, **target).encode(given)
    assert "corrections" in inspect(data).sections
    assert ((decode(data) == 7) == (given == 7)).all()
    assert "ratio" not in target or len(data) <= given.nbytes / 20


def test_what_is_not_there_costs_nothing(volume):
    plain, named = (TINCCodec(max_error=9, exact_values=values, effort=1).encode(volume) for values in ([], [65535]))
    assert plain == named


def test_noise_falls_back_to_lossless_and_says_so():
    noise = np.random.default_rng(0).integers(0, 2**32, (16, 16, 16), "u4")
    data = TINCCodec(max_error=0).encode(noise)
    assert inspect(data).kind == "lossless"
    assert len(data) <= noise.nbytes + 40
    assert (decode(data) == noise).all()


def test_a_range_too_wide_for_the_bound_is_lossless():
    x = np.random.default_rng(0).normal(0, 1, (20, 20)) * 1e30
    data = TINCCodec(max_error=1e-3).encode(x)
    assert inspect(data).kind == "lossless"
    assert decode(data).tobytes() == x.tobytes()


def test_a_residual_that_misses_is_dropped_and_said(volume, monkeypatch, caplog):
    chunk = prepare(volume, Config(max_error=4, effort=1))
    aim = goal(chunk)
    monkeypatch.setattr("tinc_codec.encoding.within_bound.goal", lambda _: replace(aim, allowed=40))
    with caplog.at_level(logging.WARNING):
        data = Bounded(chunk, TrainingProgress(1)).run(Exactly(chunk))
    assert data == Exactly(chunk).stream
    assert "which is dropped" in caplog.text


def test_padding_at_the_edge_is_cropped(tmp_path, volume):
    codec = TINCCodec(max_error=5, effort=1)
    whole = codec.encode(volume[:20])
    for fill in (0, 9):
        padded = np.full((40, 100, 50), fill, volume.dtype)
        padded[:20, :72] = volume[:20]
        data = codec.encode(padded)
        assert len(data) <= len(whole) + 8
        got = decode(data)
        assert (got[20:] == fill).all()
        assert (got[:, 72:] == fill).all()
        assert (got[:20, :72] == decode(whole)).all()
    floats = np.full((40, 100, 50), np.nan, "f4")
    floats[:20, :72] = volume[:20]
    data = codec.encode(floats)
    assert "exact" not in inspect(data).sections
    assert np.isnan(decode(data)[20:]).all()


def test_negative_zeros_survive_lossless_coding():
    x = np.round(np.sin(np.arange(6000.0)), 1).astype("f4")
    x[::7] = -0.0
    data = TINCCodec(max_error=0).encode(x)
    assert decode(data).tobytes() == x.tobytes()
