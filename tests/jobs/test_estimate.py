"""Estimates are of chunks as Zarr hands them to the codec, and count no time that a process takes once."""

import logging

import numpy as np
import pytest
import zarr

from tinc_codec import Config
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.jobs import estimate
from tinc_codec.jobs.destination_array import WriteSettings, destination_array
from tinc_codec.jobs.estimate import Sampled, counted_bytes, sample
from tinc_codec.jobs.grids import Grid
from tinc_codec.jobs.source_tree import open_source
from tinc_codec.jobs.sources import ZarrSource
from tinc_codec.phantom import light_sheet


@pytest.fixture
def make(tmp_path):
    """An array to encode, of 10 planes in chunks of 8."""
    volume = light_sheet((10, 32, 32))
    array = zarr.create_array(tmp_path / "a.zarr", data=volume, chunks=(8, 32, 32), fill_value=7)

    def made(**target):
        (member,) = open_source(array).members
        return destination_array(member, WriteSettings(Config(**target, effort=1)), Grid())

    return made


@pytest.mark.parametrize(("target", "counted"), [({"ratio": 16}, 16), ({"max_error": 30}, 10), ({"psnr": 40}, 10)])
def test_padding_counts_where_there_is_a_budget(make, monkeypatch, target, counted):
    seen, encode = [], TINCCodec.encode
    monkeypatch.setattr(TINCCodec, "encode", lambda self, data: seen.append(data) or encode(self, data))
    array, plane = make(**target), 32 * 32 * 2
    sampled = sample([array], 5)
    assert (sampled.chunks, sampled.raw_bytes, sampled.counted_bytes) == (2, 10 * plane, counted * plane)
    assert counted_bytes(array) == counted * plane
    assert sampled.size(counted_bytes(array)) == sampled.stored_bytes
    assert "ratio" not in target or 0.9 * plane < sampled.stored_bytes <= plane
    last = seen[-1]
    assert last.shape == (8, 32, 32)
    assert (last[:2] == light_sheet((10, 32, 32))[8:]).all()
    assert (last[2:] == 7).all()


def test_reading_counts_and_what_is_compiled_first_does_not(make, monkeypatch):
    clock = [0.0]

    def compiling(codecs, volumes):
        clock[0] += 1000
        assert codecs == [TINCCodec(max_error=30, effort=1)]
        assert all(volume.ndim == 3 for volume in volumes)

    def encoding(self, data):
        clock[0] += 2
        return b"stream"

    def reading(self, region):
        clock[0] += 5
        return np.zeros((8, 32, 32), "u2")

    monkeypatch.setattr(ZarrSource, "read", reading)
    monkeypatch.setattr(estimate, "warm_up", compiling)
    monkeypatch.setattr(estimate.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(TINCCodec, "encode", encoding)
    sampled = sample([make(max_error=30)], 2)
    assert (sampled.seconds, sampled.time(3 * sampled.raw_bytes)) == (14, 42)
    assert clock == [2014]


def test_chunks_that_fail_are_left_out_and_nothing_is_foretold_of_none(make, monkeypatch, caplog):
    caplog.set_level(logging.WARNING, "tinc_codec")

    def refuse(*_):
        raise ValueError("a bad chunk")

    monkeypatch.setattr(TINCCodec, "encode", refuse)
    sampled = sample([make(ratio=16)], 2)
    assert sampled == Sampled()
    assert (sampled.size(100), sampled.time(100)) == (None, None)
    assert caplog.text.count("left out of the estimates: a bad chunk") == 2
    assert sample([], 3) == sample([make(ratio=16)], 0) == Sampled()


def test_a_fill_value_that_is_not_there_or_no_number_pads(tmp_path):
    array = zarr.create_array(tmp_path / "a", data=np.ones((3, 4), "f4"), chunks=(2, 4), fill_value=np.nan)
    (member,) = open_source(array).members
    made = destination_array(member, WriteSettings(Config(max_error=0.5, effort=1)), Grid())
    assert sample([made], 2).chunks == 2
