"""One job from end to end."""

import itertools

import pytest
import zarr

import tinc_codec
from tests.jobs.results import QUIET, close, compressed
from tinc_codec import ConfigurationError, JobError


def test_coarser_levels_are_derived_from_the_decoded_finest(ome, bounded, client, tmp_path):
    from tinc_codec.jobs.sources import block_mean

    packed = tmp_path / "made.zarr"
    report = tinc_codec.compress(ome("0.5"), packed, bounded, pyramid="derived", client=client, **QUIET)
    group = zarr.open_group(packed, mode="r")
    levels = [group[level][:] for level in "012"]
    for finer, coarser in itertools.pairwise(levels):
        assert close(block_mean(finer, (2, 2, 2)), coarser)
    assert sum(array.verified for array in report.arrays) == report.plan.tasks
    with pytest.raises(ConfigurationError, match="'all' and 'derived'"):
        tinc_codec.compress(packed, tmp_path / "x.zarr", bounded, pyramid="some", client=client, **QUIET)


@pytest.mark.parametrize("keep", [False, True])
def test_in_place(tmp_path, source, volume, bounded, client, files, keep):
    before = files(source)
    first = tinc_codec.compress(source, None, bounded, client=client, keep_original=keep, **QUIET)
    assert compressed(source)
    assert close(zarr.open_array(source, mode="r")[:], volume)
    assert dict(zarr.open_array(source, mode="r").attrs) == {"unit": "um"}
    old = tmp_path / "a.zarr.tinc" / "old"
    assert old.exists() == keep
    if keep:
        assert files(old) == before
    after = files(source)
    again = tinc_codec.compress(source, None, bounded, client=client, keep_original=keep, **QUIET)
    assert (again.done, again.reused) == (0, first.done)
    assert again.arrays[0].psnr == first.arrays[0].psnr
    assert files(source) == after
    chunk = next(f for f in sorted(source.rglob("*")) if f.is_file() and f.name != "zarr.json")
    chunk.write_bytes(b"damaged")
    with pytest.raises(JobError, match="not as they were written"):
        tinc_codec.compress(source, None, bounded, client=client, keep_original=keep, **QUIET)


def test_in_place_is_refused_where_it_is_not_safe(tmp_path, volume, source, bounded, client):
    with pytest.raises(ConfigurationError, match="nothing was compared with"):
        tinc_codec.compress(source, None, bounded, client=client, verify=False, **QUIET)
    da = pytest.importorskip("dask.array")
    with pytest.raises(ConfigurationError, match="cannot be compressed in place"):
        tinc_codec.compress(da.from_array(volume), None, bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match="in the memory of this process"):
        tinc_codec.compress(zarr.create_array({}, data=volume), tmp_path / "x.zarr", bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match=r"is not there|holds no Zarr"):
        tinc_codec.compress(tmp_path / "nothing", tmp_path / "x.zarr", bounded, client=client, **QUIET)
    with pytest.raises(ConfigurationError, match="must be a TINCCodec"):
        tinc_codec.compress(source, tmp_path / "x.zarr", "tinc", client=client, **QUIET)


def test_progress_is_a_callback(tmp_path, source, bounded, client):
    calls = []
    tinc_codec.compress(
        source, tmp_path / "b.zarr", bounded, client=client, progress=lambda done, total: calls.append((done, total))
    )
    assert calls[-1] == (12, 12)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
