"""Pictures never fail a job or a report: what cannot be drawn is said."""

import numpy as np
import pytest
import zarr

import tinc_codec
from tinc_codec.jobs import pictures

pytest.importorskip("distributed")


def compress(source, dst, codec, client, **settings):
    return tinc_codec.compress(source, dst, codec, client=client, progress=False, **settings)


def test_a_view_that_fails_is_a_note(tmp_path, source, bounded, client, monkeypatch):
    def broken(*_):
        raise RuntimeError("no view")

    monkeypatch.setattr(pictures, "Picture", broken)
    report = compress(source, tmp_path / "b.zarr", bounded, client)
    assert (tmp_path / "b.zarr").exists()
    assert report.views == ()
    assert report.notes == ("no picture of the array: RuntimeError: no view",)
    report.save(tmp_path / "r.html")
    assert report.notes[0] in (tmp_path / "r.html").read_text()
    assert report.as_json()["notes"] == report.notes


@pytest.mark.parametrize("shape", [(5000,), (60, 90), (2, 3, 40, 50)])
def test_arrays_of_any_rank_have_pictures(tmp_path, bounded, client, shape):
    pytest.importorskip("matplotlib")
    data = np.random.default_rng(0).normal(1000, 90, shape).astype("u2")
    zarr.create_array(
        tmp_path / "a.zarr", data=data, chunks=tuple(min(n, 50) for n in shape) if len(shape) > 1 else (5000,)
    )
    report = compress(tmp_path / "a.zarr", tmp_path / "b.zarr", bounded, client)
    assert len(report.views) == 1
    assert report.notes == ()
    report.save(tmp_path / "r.html")
    assert "Not drawn" not in (tmp_path / "r.html").read_text()
