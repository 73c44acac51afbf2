"""Documents are held back, chunks are not; and they are published so that no reader finds half of anything."""

import pickle

from hypothesis import given
from hypothesis import strategies as st
from zarr.core.buffer import cpu, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from tinc_codec.errors import DestinationError
from tinc_codec.hosts.stores import UrlStore
from tinc_codec.jobs.held import HeldStore, is_document, waves

NAMES = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
FOLDERS = st.lists(st.sampled_from(["a", "b", "ä ö"]), max_size=3).map("/".join)
KEYS = st.tuples(FOLDERS, st.sampled_from(NAMES)).map(lambda pair: "/".join(filter(None, pair)))
PROTOTYPE = default_buffer_prototype()


def buffer(text):
    return cpu.Buffer.from_bytes(text.encode())


def listed(listing):
    async def keys():
        return [key async for key in listing]

    return sync(keys())


def held():
    inner = MemoryStore()
    return HeldStore(UrlStore(inner, "s3://lab/b", DestinationError)), inner


def test_documents_are_known_by_their_names():
    assert all(is_document(f"a/{name}") and is_document(name) for name in NAMES)
    assert not any(map(is_document, ["c/0/0", "zarr.json/0", "a/zarr.jsonl", "", ".zattrs/"]))


@given(keys=st.lists(KEYS, unique=True, max_size=12))
def test_waves_hold_every_document_once_children_before_parents(keys):
    order = waves(keys)
    assert sorted(key for wave in order for key in wave) == sorted(keys)
    place = {key: number for number, wave in enumerate(order) for key in wave}
    for key in keys:
        folder = key.rpartition("/")[0]
        for other in keys:
            inner = other.rpartition("/")[0]
            if inner != folder and (not folder or inner.startswith(f"{folder}/")):
                assert place[other] < place[key]
            if inner == folder and key.endswith(("zarr.json", ".zarray", ".zgroup")) and ".zattrs" in other:
                assert place[other] < place[key]  # what makes a folder a node comes last


def test_chunks_go_to_the_store_and_documents_do_not():
    store, inner = held()
    sync(store.set("a/zarr.json", buffer("{}")))
    sync(store.set("a/c/0", buffer("chunk")))
    sync(store.set_if_not_exists("a/zarr.json", buffer("other")))
    sync(store.set_if_not_exists("a/c/1", buffer("second")))
    assert listed(inner.list()) == ["a/c/0", "a/c/1"]
    assert sync(store.get("a/zarr.json", PROTOTYPE)).to_bytes() == b"{}"
    assert sync(store.get("a/c/0", PROTOTYPE)).to_bytes() == b"chunk"
    assert (sync(store.exists("a/zarr.json")), sync(store.exists("b/zarr.json"))) == (True, False)
    assert sorted(listed(store.list())) == ["a/c/0", "a/c/1", "a/zarr.json"]
    assert (listed(store.list_dir("")), listed(store.list_dir("a/"))) == (["a"], ["zarr.json"])
    sync(store.delete("a/zarr.json"))
    sync(store.delete("a/zarr.json"))
    sync(store.delete("a/c/0"))
    assert listed(store.list()) == ["a/c/1"]


def test_documents_that_are_published_already_are_not_seen():
    store, inner = held()
    sync(inner.set("zarr.json", buffer("of an earlier run")))
    assert not sync(store.exists("zarr.json"))
    assert sync(store.get("zarr.json", PROTOTYPE)) is None
    assert listed(store.list()) == []


def test_a_worker_gets_the_store_without_documents():
    store, _ = held()
    sync(store.set("zarr.json", buffer("{}")))
    assert store.with_read_only(True).documents is store.documents
    function, arguments = store.__reduce__()
    assert function(*arguments).documents == {}
    assert pickle.dumps(HeldStore) is not None
