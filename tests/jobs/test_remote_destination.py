"""Object stores, by an S3 API on loopback: what is published there is whole, or there is nothing."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import zarr

import tinc_codec
from tinc_codec import ConfigurationError, JobError, TINCCodec
from tinc_codec.errors import DestinationError, MissingDependencyError
from tinc_codec.hosts.stores import UrlStore
from tinc_codec.jobs.held import is_document
from tinc_codec.jobs.ledger import Ledger
from tinc_codec.jobs.remote_destination import CLAIM, Remote
from tinc_codec.phantom import light_sheet

s3fs = pytest.importorskip("s3fs")
pytest.importorskip("moto")
from tests.fixtures import read_files  # noqa: E402
from tests.jobs.s3 import Server  # noqa: E402

BUCKET = "lab"
CODEC = TINCCodec(max_error=0)  # quick; what is stored is decided by the bytes, not by training
OTHER = TINCCodec(max_error=0, exact_values=(7,))


@pytest.fixture(scope="session")
def server():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    started = Server()
    yield started
    started.close()


@pytest.fixture
def weather(server):
    server.weather.clear_up()
    yield server.weather
    server.weather.clear_up()


@pytest.fixture
def options(server, monkeypatch):
    """As users give them, but that a failure is not tried again for minutes."""
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 2)
    return {
        "endpoint_url": server.url,
        "key": "key",
        "secret": "secret",
        "client_kwargs": {"region_name": "eu-central-1"},
        "config_kwargs": {"retries": {"total_max_attempts": 1}},
    }


@pytest.fixture
def bucket(weather, options):
    fs = s3fs.S3FileSystem(use_listings_cache=False, **options)
    fs.mkdir(BUCKET)
    yield fs
    weather.clear_up()
    fs.rm(BUCKET, recursive=True)


@pytest.fixture(scope="session")
def small():
    volume = light_sheet((24, 16, 24), seed=3)
    volume[8:16] = 0  # a chunk that is not there
    return volume


def fill(root, small):
    """A group with an image, labels and coordinates."""
    root.create_array("raw/image", data=small, chunks=(8, 16, 24), attributes={"unit": "um"})
    root.create_array("raw/x", data=np.arange(24.0))
    labels = root.create_group("labels", attributes={"labels": ["cells"]})
    cells = labels.create_group("cells", attributes={"image-label": {}})
    cells.create_array("0", data=(small > 300).astype("u1"), chunks=(24, 16, 24))


@pytest.fixture
def source(bucket, options, small):
    url = f"s3://{BUCKET}/a.zarr"
    fill(zarr.create_group(url, storage_options=options, attributes={"name": "brain"}), small)
    return url


@pytest.fixture
def job(client, options, tmp_path):
    """Compress from one URL to another."""

    def run(src, dst=f"s3://{BUCKET}/b.zarr", codec=CODEC, **settings):
        given = {"ledger": tmp_path / "job", "storage_options": options, "client": client, "progress": False}
        return tinc_codec.compress(src, dst, codec, **{**given, **settings})

    return run


@pytest.fixture
def objects(bucket):
    def read(prefix="b.zarr"):
        paths = bucket.find(f"{BUCKET}/{prefix}/")
        return {path.removeprefix(f"{BUCKET}/{prefix}/"): bucket.cat_file(path) for path in paths}

    return read


@pytest.fixture(scope="session")
def expected(small, client, tmp_path_factory):
    """What the same job makes of the same source between local directories."""
    folder = tmp_path_factory.mktemp("expected")
    fill(zarr.create_group(folder / "a.zarr", attributes={"name": "brain"}), small)
    tinc_codec.compress(folder / "a.zarr", folder / "local.zarr", CODEC, client=client, progress=False)
    return read_files(folder / "local.zarr")


def absent(url, options):
    """Whether a reader finds nothing."""
    try:
        zarr.open(url, mode="r", storage_options={**options, "use_listings_cache": False})
    except FileNotFoundError:
        return True
    return False


URL = f"s3://{BUCKET}/b.zarr"


def test_from_an_object_store_into_one_is_as_between_directories(source, job, objects, expected, weather):
    weather.calls.clear()
    report = job(source)
    assert objects() == expected
    assert (report.reused, report.failures) == (0, ())
    puts = [key.removeprefix(f"{BUCKET}/b.zarr/") for method, key in weather.calls if method == "PUT"]
    assert puts[0] == CLAIM
    first = next(number for number, key in enumerate(puts) if is_document(key))
    assert all(map(is_document, puts[first:]))
    assert puts[-1] == "zarr.json"
    depths = [key.count("/") for key in puts[first:]]
    assert depths == sorted(depths, reverse=True)
    weather.calls.clear()
    again = job(source)
    assert (again.done, again.reused) == (0, report.done)
    assert {method for method, _ in weather.calls} <= {"GET", "HEAD"}


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_from_a_directory_consolidated_and_back(tmp_path, bucket, options, small, job, zarr_format):
    fill(zarr.create_group(tmp_path / "a.zarr", zarr_format=zarr_format), small)
    zarr.consolidate_metadata(tmp_path / "a.zarr")
    job(tmp_path / "a.zarr")
    got = zarr.open_consolidated(URL, storage_options=options, mode="r")
    assert (got["raw/image"][:] == small).all()
    assert (got["labels/cells/0"][:] == (small > 300)).all()
    job(URL, tmp_path / "back.zarr", ledger=None)
    assert (zarr.open_group(tmp_path / "back.zarr", mode="r")["raw/image"][:] == small).all()
    assert job(tmp_path / "a.zarr").done == 0


class End(BaseException):
    """As if the process ended there."""


def interrupted(monkeypatch, job, source, **settings):
    """A job that ended before it published."""
    real = UrlStore.set

    async def request(self, key, value):
        if is_document(key):
            raise End
        await real(self, key, value)

    monkeypatch.setattr(UrlStore, "set", request)
    with pytest.raises(End):
        job(source, **settings)
    monkeypatch.setattr(UrlStore, "set", real)


def test_it_may_end_at_any_request_that_publishes(source, job, options, objects, expected, monkeypatch, weather):
    """Requests of the job's own process: before and after each, nothing or all is there, and the next run ends it."""
    real = {name: getattr(UrlStore, name) for name in ("set", "delete")}
    steps = len(list(filter(is_document, expected))) + 1  # the last removes the claim

    # before a request it is as after the one ahead of it
    for step, after in ((0, False), (3, True), (steps - 2, False), (steps - 2, True), (steps - 1, True)):
        count = iter(range(1000))

        def ending(name, step=step, after=after, count=count):
            async def request(self, key, *value):
                mine = is_document(key) or (key == CLAIM and name == "delete")
                if not mine or next(count) != step:
                    return await real[name](self, key, *value)
                if after:
                    await real[name](self, key, *value)
                raise End

            return request

        destination = f"s3://{BUCKET}/{step}-{after}.zarr"
        for name in real:
            monkeypatch.setattr(UrlStore, name, ending(name))
        with pytest.raises(End):
            job(source, destination)
        monkeypatch.undo()
        whole = step == steps - 1 or (step == steps - 2 and after)
        assert absent(destination, options) != whole
        report = job(source, destination)
        assert report.done == 0
        assert objects(f"{step}-{after}.zarr") == expected


def test_requests_that_fail_now_and_then_are_made_again(source, job, options, objects, expected, weather, monkeypatch):
    monkeypatch.setattr("botocore.retryhandler.delay_exponential", lambda **_: 0.01)  # seconds; else one or more
    del options["config_kwargs"]  # as botocore does it unless it is asked
    weather.every = 5
    report = job(source, storage_options=options)
    assert weather.count > 40
    weather.clear_up()
    assert report.failures == ()
    assert objects() == expected


@pytest.mark.parametrize("code", ["503 Slow Down", "404 No Such Bucket"])
@pytest.mark.parametrize(
    "wrong",
    [
        "PUT b.zarr/raw/image/c/2/0/0",
        "GET b.zarr/raw/image/c/2/0/0",
        "PUT b.zarr/labels/zarr.json",
        "PUT b.zarr/zarr.json",
    ],
)
def test_a_request_that_goes_on_failing_ends_in_one_line_and_leaves_nothing(
    source, job, options, objects, expected, weather, code, wrong
):
    method, key = wrong.split()
    if (method, code[:3]) == ("GET", "404"):
        pytest.skip("that says that there is no such chunk")
    weather.code, weather.fails = code, lambda m, k: (m, k) == (method, f"{BUCKET}/{key}")
    with pytest.raises(DestinationError) as caught:
        job(source, retries=0)
    assert "\n" not in str(caught.value)
    assert f"s3://{BUCKET}/{key} could not be" in str(caught.value)
    weather.clear_up()
    assert absent(URL, options)
    job(source)
    assert objects() == expected


@pytest.mark.parametrize("wrong", ["GET a.zarr/raw/image/c/2/0/0", "GET a.zarr/labels/zarr.json", "GET "])
@pytest.mark.parametrize("code", ["503 Slow Down", "403 Access Denied"])
def test_a_source_that_fails_is_an_error(source, job, options, objects, expected, weather, code, wrong):
    method, key = wrong.split(" ")
    weather.code, weather.fails = code, lambda m, k: (m, k.rstrip("/")) == (method, f"{BUCKET}/{key}".rstrip("/"))
    with pytest.raises(JobError if "/c/" in wrong else ConfigurationError) as caught:
        job(source, retries=0)
    assert "\n" not in str(caught.value)
    weather.clear_up()
    assert absent(URL, options)
    job(source)
    assert objects() == expected


def test_destinations_of_others_are_left_alone(source, job, bucket, options, objects, weather):
    one, two, three, four = (f"{BUCKET}/{name}" for name in ("1.zarr", "2.zarr", "3.zarr", "4.zarr"))
    zarr.create_array(f"s3://{one}", data=np.ones(4), storage_options=options)
    bucket.pipe_file(f"{two}/readme/of somebody.txt", b"mine")
    zarr.create_group(f"s3://{three}", storage_options=options, zarr_format=2)
    bucket.pipe_file(f"{four}/{CLAIM}", json.dumps({"id": "1", "host": "there", "begun": "then"}).encode())
    before = {place: objects(place.partition("/")[2]) for place in (one, two, three, four)}
    weather.written.clear()
    weather.hidden_for = 1000
    zarr.create_array(f"s3://{BUCKET}/5.zarr", data=np.ones(4), storage_options=options)
    for place in (*before, f"{BUCKET}/5.zarr"):
        shows = "begun on there at then" if place == four else "exists and is not of this job"
        with pytest.raises(ConfigurationError, match=shows):
            job(source, f"s3://{place}")
    weather.clear_up()
    assert {place: objects(place.partition("/")[2]) for place in before} == before


def test_another_ledger_is_another_job(source, job, tmp_path, options, objects, expected, monkeypatch):
    interrupted(monkeypatch, job, source)
    with pytest.raises(ConfigurationError, match="is being written by another job"):
        job(source, ledger=tmp_path / "other")
    job(source)
    assert objects() == expected
    with pytest.raises(ConfigurationError, match="exists and is not of this job"):
        job(source, ledger=tmp_path / "other")


def test_a_listing_that_comes_late_changes_nothing_of_the_destination(source, job, objects, expected, weather, volume):
    weather.written.clear()
    weather.hidden_for = 1000
    job(source)
    assert job(source).done == 0
    weather.clear_up()
    assert objects() == expected


def test_a_source_whose_listing_comes_late_is_refused(bucket, options, tmp_path, client, weather, volume):
    place = f"s3://{BUCKET}/late.zarr"
    group = zarr.create_group(place, storage_options=options, zarr_format=2)
    group.create_array("0", data=volume, chunks=(16, 16, 24))
    zarr.consolidate_metadata(group.store)
    with weather.lock:
        weather.written = {key: when for key, when in weather.written.items() if "late.zarr/0" in key}
    weather.hidden_for = 1000
    with pytest.raises(ConfigurationError, match="the listing comes late"):
        tinc_codec.compress(
            place,
            tmp_path / "b.zarr",
            OTHER,
            storage_options=options,
            client=client,
            ledger=tmp_path / "l",
            progress=False,
        )
    weather.clear_up()


@pytest.mark.parametrize("settings", [{"resume": False}, {"codec": OTHER}, {"chunks": (24, 16, 24)}])
def test_what_is_not_published_can_be_begun_anew(source, job, bucket, options, objects, volume, monkeypatch, settings):
    interrupted(monkeypatch, job, source)
    assert absent(URL, options)
    report = job(source, **settings)
    got = zarr.open_group(URL, storage_options=options, mode="r")
    assert report.done > 0
    stored = {record.array + "/" + record.key for record in report.records if record.stored_bytes}
    assert {key for key in objects() if not is_document(key)} == stored
    assert (got["labels/cells/0"][:] == (got["raw/image"][:] > 300)).all()


def test_what_is_published_is_not_made_anew_where_its_readers_are(source, job, objects, expected):
    job(source)
    with pytest.raises(ConfigurationError, match="is published, and cannot be made anew"):
        job(source, resume=False)
    with pytest.raises(ConfigurationError, match="exists and is not of this job"):
        job(source, codec=OTHER)
    assert objects() == expected


def test_it_is_withdrawn_while_chunks_of_it_are_written_again(
    source, job, bucket, options, objects, expected, monkeypatch
):
    job(source)
    bucket.rm(f"{BUCKET}/b.zarr/raw/image/c/2/0/0")
    real, seen = UrlStore.set, []

    async def request(self, key, value):
        if not is_document(key) and key != CLAIM:
            seen.append(key)
            names = await self.fs._find(f"{BUCKET}/b.zarr/")
            assert not any(map(is_document, names))
        await real(self, key, value)

    monkeypatch.setattr(UrlStore, "set", request)
    assert job(source).done == 1
    assert seen
    assert objects() == expected


def test_a_chunk_of_somebody_else_is_not_published(source, job, bucket, options, monkeypatch):
    real = Remote.publish

    def publish(self, records):
        bucket.pipe_file(f"{BUCKET}/b.zarr/raw/image/c/1/0/0", b"all fill value in the source")
        real(self, records)

    monkeypatch.setattr(Remote, "publish", publish)
    with pytest.raises(DestinationError, match=r"did not write \(1 such\): begin anew with resume=False"):
        job(source)
    assert absent(URL, options)


def test_a_destination_that_is_taken_or_removed_meanwhile_is_not_published(source, job, bucket, options, monkeypatch):
    real = UrlStore.set

    async def request(self, key, value):
        await real(self, key, value)
        if key == "raw/x/c/0":
            await self.fs._rm_file(f"{BUCKET}/b.zarr/{CLAIM}")

    monkeypatch.setattr(UrlStore, "set", request)
    with pytest.raises(DestinationError, match="taken or removed by somebody else"):
        job(source)
    assert absent(URL, options)


def test_what_cannot_be_opened_is_said_in_one_line(source, job, tmp_path, options):
    for src, dst, kind, shows in (
        (source, "memory://b.zarr", ConfigurationError, "in the memory of this process"),
        ("memory://b.zarr", tmp_path / "x.zarr", ConfigurationError, "in the memory of this process"),
        (source, "nonsense://b.zarr", ConfigurationError, "nonsense"),
        (source, "abfs://a/b.zarr", MissingDependencyError, "adlfs"),
        (source, "s3://nobody/b.zarr", ConfigurationError, "bucket"),
        ("s3://nobody/a.zarr", URL, ConfigurationError, "holds no Zarr"),
    ):
        with pytest.raises(kind, match=shows) as caught:
            job(src, dst)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="could not be read"):
        job(source, storage_options={**options, "endpoint_url": "http://127.0.0.1:1"})


COMMAND = [sys.executable, "-m", "tinc_codec.cli", "compress", "--devices", "cpu"]


def test_the_command_is_killed_with_its_workers_and_goes_on(
    source, tmp_path, server, objects, options, expected, weather
):
    """Workers in processes of their own, which know the store from the environment."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    command = [*COMMAND, source, URL, "--max-error", "0", "--workers", "1", "--ledger", str(tmp_path / "job")]
    chunks = re.compile(f"{BUCKET}/b.zarr/.*/c/")
    weather.calls.clear()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while sum(method == "PUT" and bool(chunks.match(key)) for method, key in weather.calls) < 3:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert absent(URL, options)
    before = len(Ledger(tmp_path / "job" / "ledger").records())
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"{before} found done" in done.stdout
    assert objects() == expected
