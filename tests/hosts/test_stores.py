"""Stores that URLs name."""

import pytest
from zarr.core.buffer import cpu, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import FsspecStore, MemoryStore

from tinc_codec.errors import ConfigurationError, DestinationError, SourceError
from tinc_codec.hosts.stores import (
    UrlStore,
    is_of_this_process,
    local_path,
    open_destination_store,
    open_source_store,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a/b.zarr", "a/b.zarr"),
        ("a b/12:30#1?.zarr", "a b/12:30#1?.zarr"),
        ("file:///a/b.zarr", "/a/b.zarr"),
        ("file:/a/b.zarr", "/a/b.zarr"),
        ("local:///a/b.zarr", "/a/b.zarr"),
        ("file:///a/b#1?c%20d.zarr", "/a/b#1?c%20d.zarr"),
        ("s3://bucket/a", None),
        ("simplecache::s3://bucket/a", None),
    ],
)
def test_which_destinations_are_local(given, expected):
    path = local_path(given)
    assert (path and path.as_posix()) == expected


class Failing(MemoryStore):
    """Raises whatever it is told to, by every call."""

    error = RuntimeError("one\n  two")

    async def _fail(self, *_, **__):
        raise self.error

    get = set = set_if_not_exists = delete = exists = get_partial_values = _fail

    async def list_prefix(self, prefix):
        raise self.error
        yield

    list_dir = list_prefix


@pytest.fixture
def failing():
    return UrlStore(Failing(), "s3://lab/b.zarr/", DestinationError)


BUFFER, PROTOTYPE = cpu.Buffer.from_bytes(b"data"), default_buffer_prototype()
CALLS = {
    "read": lambda store: store.get("a/b", PROTOTYPE),
    "read, too": lambda store: store.exists("a/b"),
    "read in parts": lambda store: store.get_partial_values(PROTOTYPE, [("a/b", None)]),
    "written": lambda store: store.set("a/b", BUFFER),
    "written, if it is not there": lambda store: store.set_if_not_exists("a/b", BUFFER),
    "deleted": lambda store: store.delete("a/b"),
}


async def listed(listing):
    return [key async for key in listing]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_raises_one_kind_of_error_that_says_what_could_not_be_done_to_what(failing, call):
    word = call.partition(",")[0].partition(" ")[0]
    with pytest.raises(DestinationError) as refusal:
        sync(CALLS[call](failing))
    assert str(refusal.value) == f"s3://lab/b.zarr/a/b could not be {word}: RuntimeError: one two"
    assert refusal.value.__cause__ is Failing.error


def test_listings_raise_the_same(failing):
    for listing in (failing.list(), failing.list_prefix("a"), failing.list_dir("a")):
        with pytest.raises(DestinationError, match=r"could not be listed: RuntimeError: one two"):
            sync(listed(listing))


def test_an_error_of_a_job_is_told_once(failing, monkeypatch):
    monkeypatch.setattr(Failing, "error", SourceError("the source is gone"))
    with pytest.raises(SourceError, match=r"^the source is gone$"):
        sync(failing.exists("a"))


def test_what_works_is_passed_through_and_read_only_stays_so():
    store = UrlStore(MemoryStore(), "s3://lab/b.zarr", DestinationError)
    sync(store.set("a/b", BUFFER))
    assert sync(store.get("a/b", PROTOTYPE)).to_bytes() == b"data"
    assert sync(listed(store.list())) == ["a/b"]
    assert sync(listed(store.list_dir(""))) == ["a"]
    only_read = store.with_read_only(True)
    assert (only_read.read_only, str(only_read), repr(only_read)) == (True, store.url, "UrlStore('s3://lab/b.zarr')")
    with pytest.raises(DestinationError, match="could not be written"):
        sync(only_read.set("c", BUFFER))
    sync(store.delete("a/b"))
    assert not sync(store.exists("a/b"))


@pytest.mark.parametrize("error", [TypeError("unexpected keyword 'nonsense'"), ValueError("no such region")])
def test_options_that_make_no_sense_are_named_with_the_url(monkeypatch, error):
    def refuse(url, options, read_only):
        assert options == {"use_listings_cache": False, "nonsense": 1}  # what a store holds is asked each time
        raise error

    monkeypatch.setattr(FsspecStore, "from_url", refuse)
    with pytest.raises(ConfigurationError, match=rf"s3://lab/b cannot be opened with .*'nonsense': 1.*{error}"):
        open_source_store("s3://lab/b", {"nonsense": 1})


def test_stores_of_this_process_alone_are_refused():
    with pytest.raises(ConfigurationError, match="memory of this process, which workers cannot see"):
        open_destination_store("memory://b", None)
    assert is_of_this_process(MemoryStore())
