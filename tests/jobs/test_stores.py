"""Nothing of a store is lost, and nothing but images is changed: to a new place and in place."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinc_codec
from tests.jobs import stores
from tests.jobs.results import BOUND, CODEC, compress
from tinc_codec import ConfigurationError, JobError

pytestmark = pytest.mark.filterwarnings(
    "ignore:Consolidated metadata is currently not part", "ignore:Object at", "ignore:.*both.*zarr.json"
)


def assert_kept(before, after, expected):
    samples, attributes, files, consolidated = before
    new_samples, new_attributes, new_files, new_consolidated = after
    assert new_consolidated == consolidated
    assert set(new_attributes) == set(attributes)
    assert new_attributes == attributes
    assert {key for key in files if not key.endswith(".zarray")} <= set(new_files)
    for key, data in files.items():
        if not key.endswith(".zarray") or not any(key == f"{path}/.zarray" for path in expected.images):
            assert new_files[key] == data, key
    for path, (data, zarr_format, chunks, attrs) in samples.items():
        got, new_format, new_chunks, new_told = new_samples[path]
        assert (new_format, new_chunks, new_told, got.dtype) == (zarr_format, chunks, attrs, data.dtype)
        if path in expected.images:
            assert np.abs(got.astype("f8") - data.astype("f8")).max(initial=0) <= BOUND
        else:
            assert got.tobytes() == data.tobytes(), path


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    root_format=st.sampled_from([2, 3]),
    placed=stores.arrays,
    described=stores.groups,
    others=stores.extras,
    consolidated=stores.consolidations,
    in_place=st.booleans(),
    seed=st.integers(0, 99),
)
def test_random_stores(client, root_format, placed, described, others, consolidated, in_place, seed):
    with tempfile.TemporaryDirectory() as folder:
        source, new = Path(folder) / "s.zarr", Path(folder) / "t.zarr"
        expected = stores.build(source, root_format, placed, described, others, consolidated, seed)
        before = stores.content(source, expected)
        report = tinc_codec.compress(source, None if in_place else new, CODEC, client=client, progress=False)
        assert_kept(before, stores.content(source if in_place else new, expected), expected)
        if not in_place:
            assert_kept(
                before, stores.content(source, expected), stores.Expected(set(), expected.images | expected.exact)
            )
        assert report.account.unaccounted == ()
        assert {array.path for array in report.arrays if array.copied is None} == expected.images


def test_links_are_followed_or_refused_by_name(older, volume, client, tmp_path):
    zarr.create_array(tmp_path / "far.zarr", data=volume, chunks=(20, 25, 30))
    (older / "near").symlink_to("image")
    (older / "far").symlink_to(tmp_path / "far.zarr")
    compress(older, None, client)
    for name in ("near", "far", "image"):
        assert not (older / name).is_symlink()
        assert np.abs(zarr.open_array(older / name, mode="r")[:].astype(int) - volume).max() <= BOUND
    assert (zarr.open_array(tmp_path / "far.zarr", mode="r")[:] == volume).all()
    for name, aim, message in (("gone", "nowhere", "which is not there"), ("loop", ".", "which it lies in")):
        (older / name).symlink_to(aim)
        with pytest.raises(ConfigurationError, match=message):
            compress(older, tmp_path / "x.zarr", client)
        (older / name).unlink()
    assert not (tmp_path / "x.zarr").exists()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("image/.zarray", "{", "is not JSON"),
        ("image/.zarray", "[]", "not a JSON object"),
        ("image/zarr.json", '{"zarr_format": 3, "node_type": "array"}', "described twice"),
        ("image/.zgroup", '{"zarr_format": 2}', "described twice"),
        ("zarr.json", '{"zarr_format": 4, "node_type": "group"}', "neither an array nor a group"),
        ("image/2.0.0", "a frame that is in no metadata", "none of its grid"),
        ("image/0/0/0", "a chunk by another separator", "none of its grid"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(older, client, tmp_path, file, text, message):
    (older / file).parent.mkdir(parents=True, exist_ok=True)
    (older / file).write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        compress(older, tmp_path / "t.zarr", client)
    assert not (tmp_path / "t.zarr").exists()


def test_arrays_that_zarr_cannot_open_are_named_and_copied(tmp_path, volume, client):
    rng = np.random.default_rng(0)
    expected = stores.build(
        tmp_path / "s.zarr", 3, [("", "image", 3, None)], {}, {"unknown codec", "chunks of 0"}, "no", 0
    )
    report = compress(tmp_path / "s.zarr", tmp_path / "t.zarr", client)
    done = {array.path: array.done for array in report.plan.arrays}
    assert "nobody_knows" in done["strange/unknown_codec"]
    assert "chunks of 1 or more" in done["strange/chunks_of_0"]
    assert report.account.others == 4
    for name in ("strange/unknown_codec/0.0", "strange/chunks_of_0/.zarray"):
        assert (tmp_path / "t.zarr" / name).read_bytes() == (tmp_path / "s.zarr" / name).read_bytes()
    with pytest.raises(ConfigurationError, match=r"strange/.*leave it out"):
        compress(tmp_path / "s.zarr", tmp_path / "u.zarr", client, zarr_format=3)
    with pytest.raises(ConfigurationError, match=r"strange/unknown_codec.*cannot be opened"):
        compress(tmp_path / "s.zarr/strange/unknown_codec", tmp_path / "u.zarr", client)
    assert rng is not None
    assert expected.images == {"image0"}


def test_what_appears_while_a_job_runs_refuses_the_swap(older, volume, client, files):
    def appear(done, total):
        if done == 1 and not (older / "new").exists():
            zarr.create_array(older / "new", data=volume, chunks=(20, 25, 30), zarr_format=2)

    with pytest.raises(JobError, match="has changed since the job was planned: new is new"):
        tinc_codec.compress(older, None, CODEC, client=client, progress=appear)
    assert (zarr.open_array(older / "image", mode="r")[:] == volume).all()
    compress(older, None, client, resume=False)
    assert np.abs(zarr.open_array(older / "new", mode="r")[:].astype(int) - volume).max() <= BOUND


def test_what_came_between_two_runs_comes_along(older, volume, client, tmp_path):
    compress(older, tmp_path / "t.zarr", client)
    (older / "notes.txt").write_text("new")
    zarr.open_array(older / "image").attrs["unit"] = "um"
    report = compress(older, tmp_path / "t.zarr", client)
    assert report.done == 0
    assert (tmp_path / "t.zarr/notes.txt").read_text() == "new"
    assert dict(zarr.open_array(tmp_path / "t.zarr/image", mode="r").attrs) == {"unit": "um"}
