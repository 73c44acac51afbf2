"""The source changes or goes away: every job ends with an error, nothing is published, and the original stays whole."""

import itertools
import shutil
import threading

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

import tinc_codec
from tinc_codec import TINCCodec, TincError
from tinc_codec.encoding import encode as encoding
from tinc_codec.errors import SourceError
from tinc_codec.jobs import run
from tinc_codec.jobs.ledger import Ledger

CODEC = TINCCodec(max_error=30, effort=1)
SHAPE, CHUNKS = (16, 32, 32), (8, 16, 16)


@pytest.fixture(scope="module")
def data():
    values = np.random.default_rng(0).normal(1000, 60, SHAPE).astype("u2")
    values[8:, 16:, 16:] = 0  # a chunk that is not stored
    return values


def make(path, data, zarr_format):
    zarr.create_array(path, data=data, chunks=CHUNKS, zarr_format=zarr_format, attributes={"unit": "um"})
    return path


def chunk(source, number=-1):
    return sorted(f for f in source.rglob("*") if f.is_file() and f.name not in ("zarr.json", ".zarray", ".zattrs"))[
        number
    ]


def key(source, index):
    return source / zarr.open_array(source, mode="r").metadata.encode_chunk_key(index)


def delete_a_chunk(source, _):
    chunk(source).unlink()


def alter_a_chunk(source, _):
    zarr.open_array(source, mode="r+")[:8, :16, :16] += 100


def cut_off_a_chunk(source, _):
    file = chunk(source, 0)
    file.write_bytes(file.read_bytes()[:-9])


def put_a_directory_in_a_chunks_place(source, _):
    file = chunk(source)
    file.unlink()
    file.mkdir()


def rename_it(source, _):
    source.rename(source.with_name("elsewhere"))


def unmount_it(source, _):
    source.rename(source.with_name("elsewhere"))
    source.mkdir()


def let_a_missing_chunk_appear(source, _):
    zarr.open_array(source, mode="r+")[8:, 16:, 16:] = 7


def enlarge_the_array(source, _):
    zarr.open_array(source, mode="r+").resize((24, 32, 32))


def remove_the_metadata(source, _):
    for name in ("zarr.json", ".zarray"):
        (source / name).unlink(missing_ok=True)


def take_permissions_away(source, monkeypatch):
    real = LocalStore.get

    async def get(self, name, *arguments, **settings):
        if (self.root / name).is_relative_to(source):
            raise PermissionError(13, "Permission denied")
        return await real(self, name, *arguments, **settings)

    monkeypatch.setattr(LocalStore, "get", get)


FAULTS = [
    delete_a_chunk,
    alter_a_chunk,
    cut_off_a_chunk,
    put_a_directory_in_a_chunks_place,
    rename_it,
    unmount_it,
    let_a_missing_chunk_appear,
    enlarge_the_array,
    remove_the_metadata,
    take_permissions_away,
]


class Moments:
    """When a fault happens: while a chunk is encoded, between two runs, or when all chunks are done and verified."""

    def __init__(self, monkeypatch):
        self._patch = monkeypatch

    def middle(self, fault):
        real, calls, once = encoding.encode, itertools.count(1), threading.Lock()

        def encode(array, config):
            with once:
                if next(calls) == 4:
                    fault()
            return real(array, config)

        self._patch.setattr(encoding, "encode", encode)

    def end(self, fault):
        real = run.views

        def views(works):
            fault()
            return real(works)

        self._patch.setattr(run, "views", views)

    def between(self, run, fault):
        class Stopped(BaseException):
            pass

        def stop(done, _):
            if done >= 3:
                raise Stopped

        with pytest.raises(Stopped):
            run(progress=stop)
        fault()


def cases():
    """Each fault at each moment, half of them with the one format in place, half with the other."""
    for number, (fault, moment) in enumerate(itertools.product(FAULTS, ["middle", "between", "end"])):
        for zarr_format, place in ((2 + number % 2, "in place"), (3 - number % 2, "new place")):
            yield pytest.param(fault, moment, zarr_format, place, id=f"{fault.__name__}-{moment}-{zarr_format}-{place}")


@pytest.mark.parametrize(("fault", "moment", "zarr_format", "place"), list(cases()))
def test_it_ends_in_an_error_and_goes_on_when_the_source_is_back(
    tmp_path, data, client, files, fault, moment, zarr_format, place
):
    source = make(tmp_path / "a.zarr", data, zarr_format)
    spare = shutil.copytree(source, tmp_path / "spare")
    dst = None if place == "in place" else tmp_path / "b.zarr"
    beside = tmp_path / ("a.zarr.tinc" if dst is None else "b.zarr.tinc")
    after_fault = []

    def run(**settings):
        return tinc_codec.compress(source, dst, CODEC, client=client, retries=0, **{"progress": False, **settings})

    with pytest.MonkeyPatch.context() as patch:

        def act():
            fault(source, patch)
            after_fault.append(files(source) if source.exists() else None)

        if moment == "between":
            Moments(patch).between(run, act)
        else:
            getattr(Moments(patch), moment)(act)
        with pytest.raises(TincError) as caught:
            run()
    unreadable = fault is cut_off_a_chunk and "failed: " in str(caught.value)  # before it was read for the first time
    assert unreadable or "source" in str(caught.value)
    assert dst is None or not dst.exists()
    assert after_fault == [files(source) if source.exists() else None]  # nobody else has touched it
    assert (beside / "ledger").exists()
    assert not (beside / "old").exists()

    for left in (source, source.with_name("elsewhere")):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(spare, source)
    try:
        report = run()
    except SourceError:  # a chunk was read while it was another
        if fault is not alter_a_chunk:
            raise
        report = run(resume=False)
    assert (report.done + report.reused, report.failures) == (8, ())
    got = zarr.open_array(source if dst is None else dst, mode="r")[:]
    assert np.abs(got.astype(int) - data).max() <= 30


@pytest.mark.parametrize("on_error", ["lossless", "skip", "raise"])
def test_no_rule_about_failing_chunks_is_for_a_source_that_is_gone(tmp_path, data, client, on_error):
    source = make(tmp_path / "a.zarr", data, 3)
    with pytest.MonkeyPatch.context() as patch:
        Moments(patch).middle(lambda: shutil.rmtree(source))
        with pytest.raises(SourceError, match="bring the source back"):
            tinc_codec.compress(source, tmp_path / "b.zarr", CODEC, client=client, on_error=on_error, progress=False)
    assert not (tmp_path / "b.zarr").exists()


@pytest.mark.parametrize("codec", ["zstd", "gzip", "none"])
def test_a_chunk_that_could_never_be_read_is_skipped_by_name_and_all_else_is_published(tmp_path, data, client, codec):
    filters = {"zstd": zarr.codecs.ZstdCodec(), "gzip": zarr.codecs.GzipCodec(), "none": None}[codec]
    source = tmp_path / "a.zarr"
    zarr.create_array(source, data=data, chunks=CHUNKS, compressors=filters)
    damaged = key(source, (1, 0, 0))
    damaged.write_bytes(damaged.read_bytes()[:50])
    settings = {"client": client, "retries": 0, "progress": False}
    report = tinc_codec.compress(source, tmp_path / "b.zarr", CODEC, on_error="skip", **settings)
    assert [(failure.chunk, failure.instead) for failure in report.failures] == [("c/1/0/0", "skipped")]
    got = zarr.open_array(tmp_path / "b.zarr", mode="r")[:].astype(int)
    assert (got[8:, :16, :16] == 0).all()
    got[8:, :16, :16] = data[8:, :16, :16]
    assert np.abs(got - data).max() <= 30
    again = tinc_codec.compress(source, tmp_path / "b.zarr", CODEC, on_error="skip", **settings)
    assert (again.done, again.reused, again.failures) == (0, 7, report.failures)
    with pytest.raises(tinc_codec.JobError, match="c/1/0/0"):
        tinc_codec.compress(source, tmp_path / "c.zarr", CODEC, **settings)
    with pytest.raises(tinc_codec.JobError, match="is left as it was"):
        tinc_codec.compress(source, None, CODEC, on_error="skip", **settings)
    assert damaged.stat().st_size == 50


def test_a_chunk_that_cannot_be_read_does_not_fail_the_estimates(tmp_path, data, client):
    source = tmp_path / "a.zarr"
    zarr.create_array(source, data=np.tile(data, (3, 1, 1)), chunks=CHUNKS)
    damaged = key(source, (3, 0, 0))  # the one in the middle of 24
    damaged.write_bytes(damaged.read_bytes()[:50])
    settings = {"client": client, "retries": 0, "progress": False, "on_error": "skip"}
    report = tinc_codec.compress(source, tmp_path / "b.zarr", CODEC, **settings)
    assert [failure.chunk for failure in report.failures] == ["c/3/0/0"]
    assert report.plan.sampled == 0


def test_copies_are_watched_as_well(tmp_path, data, client):
    group = zarr.create_group(tmp_path / "g.zarr")
    group.create_array("image", data=data, chunks=CHUNKS)
    labels = group.create_group("labels", attributes={"labels": ["cells"]})
    cells = labels.create_group("cells", attributes={"image-label": {}})
    cells.create_array("0", data=data // 900, chunks=CHUNKS)
    with pytest.MonkeyPatch.context() as patch:
        Moments(patch).middle(lambda: chunk(tmp_path / "g.zarr" / "labels").unlink())
        with pytest.raises(SourceError, match=r"changed|gone"):
            tinc_codec.compress(tmp_path / "g.zarr", tmp_path / "h.zarr", CODEC, client=client, progress=False)
    assert not (tmp_path / "h.zarr").exists()


def test_a_store_may_raise_anything(tmp_path, data, client):
    source = make(tmp_path / "a.zarr", data, 3)
    real, broken = LocalStore.get, threading.Event()

    class Unreachable(Exception):
        pass

    async def get(self, name, *arguments, **settings):
        if broken.is_set() and self.root == source:
            raise Unreachable("the server does not answer")
        return await real(self, name, *arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStore, "get", get)
        Moments(patch).middle(broken.set)
        with pytest.raises(SourceError, match="does not answer"):
            tinc_codec.compress(source, tmp_path / "b.zarr", CODEC, client=client, on_error="skip", progress=False)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of files that tifffile leaves open
@pytest.mark.parametrize("moment", ["middle", "end"])
@pytest.mark.parametrize("fault", ["removed", "written to"])
def test_a_tiff_is_watched_as_well(tmp_path, data, client, fault, moment):
    tifffile = pytest.importorskip("tifffile")
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, data)
    act = {"removed": source.unlink, "written to": lambda: source.write_bytes(source.read_bytes() + b"more")}[fault]
    with pytest.MonkeyPatch.context() as patch:
        getattr(Moments(patch), moment)(act)
        with pytest.raises(SourceError):
            tinc_codec.compress(
                source, tmp_path / "b.zarr", CODEC, chunks=CHUNKS, client=client, retries=0, progress=False
            )
    assert not (tmp_path / "b.zarr").exists()


_CALLS = itertools.count()


def drifting(block):
    """Samples that are others at each call, also where the graph was pickled anew: it finds this function by name."""
    return block + np.uint16(next(_CALLS))


def test_a_graph_that_computes_something_else_when_it_is_verified_stops_the_job(tmp_path, data, client):
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(data, chunks=CHUNKS).map_blocks(drifting, dtype="u2", meta=np.empty(0, "u2"))
    with pytest.raises(SourceError, match="reads otherwise"):
        tinc_codec.compress(lazy, tmp_path / "b.zarr", CODEC, client=client, progress=False)
    assert not (tmp_path / "b.zarr").exists()


def test_the_ledger_of_a_job_that_was_stopped_keeps_what_is_done(tmp_path, data, client):
    source = make(tmp_path / "a.zarr", data, 3)
    with pytest.MonkeyPatch.context() as patch:
        Moments(patch).end(lambda: chunk(source).unlink())
        with pytest.raises(SourceError):
            tinc_codec.compress(source, tmp_path / "b.zarr", CODEC, client=client, progress=False)
    assert len(Ledger(tmp_path / "b.zarr.tinc" / "ledger").records()) == 8
