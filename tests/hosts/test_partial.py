"""Parts of Zarr arrays: what the host asks for is all that is decoded, and has the bytes of the whole."""

import pickle
from importlib import import_module

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.storage import LocalStore, MemoryStore, WrapperStore

from tests.models import random_residual, random_stream
from tinc_codec import CorruptStreamError, TINCCodec, decode, set_process, zarr_kwargs
from tinc_codec.decoding.cache import chunks
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.hosts import zarr3
from tinc_codec.jobs.objects import copy_objects, folders, join
from tinc_codec.tree.pieces import Batch

SHAPE, CHUNK = (60, 48, 52), (32, 16, 24)
LAYOUTS = {
    "chunks": {"chunks": CHUNK},
    "shards": {"chunks": CHUNK, "shards": (64, 32, 24)},
    "format 2": {"chunks": CHUNK, "zarr_format": 2},
}


@pytest.fixture(scope="module")
def arrays():
    """An array for every layout, of chunks of random networks and residuals, with one chunk missing."""
    rng = np.random.default_rng(7)
    count = 2 * 3 * 3
    encoded = [
        random_stream(rng, CHUNK, "u2")
        if number % 2
        else random_residual(rng, CHUNK, "u2", "C", 1, model=number % 4 == 0, exact=True)[0]
        for number in range(count)
    ]
    opened = {}
    for name, layout in LAYOUTS.items():
        arguments = zarr_kwargs(TINCCodec(max_error=0), zarr_format=layout.get("zarr_format", 3)) | layout
        array = zarr.create_array(zarr.storage.MemoryStore(), shape=SHAPE, dtype="u2", fill_value=9, **arguments)
        streams = iter(encoded)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TINCCodec, "encode", lambda *_, streams=streams: next(streams))  # format 2
            patch.setattr(zarr3, "encode_again", lambda *_, streams=streams: next(streams))
            for i in range(0, SHAPE[0], CHUNK[0]):
                for j in range(0, SHAPE[1], CHUNK[1]):
                    for k in range(0, SHAPE[2], CHUNK[2]):
                        place = tuple(slice(a, min(a + c, n)) for a, c, n in zip((i, j, k), CHUNK, SHAPE, strict=True))
                        if (i, j, k) != (0, 16, 24):
                            array[place] = rng.integers(1, 5)
        opened[name] = (array, array[...])
    return opened


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), layout=st.sampled_from(list(LAYOUTS)), cached=st.booleans())
def test_every_selection_has_the_bytes_of_the_whole(arrays, seed, layout, cached):
    array, whole = arrays[layout]
    rng = np.random.default_rng(seed)
    if not cached:
        chunks.clear()

    def part(n):
        start, stop = sorted(int(k) for k in rng.integers(0, n + 1, 2))
        return slice(start, stop, int(rng.choice([1, 1, 2, 5])))

    basic = tuple(int(rng.integers(-n, n)) if rng.random() < 0.4 else part(n) for n in SHAPE)
    assert np.asarray(array[basic]).tobytes() == whole[basic].tobytes()
    indices = [np.sort(rng.integers(0, n, int(rng.integers(1, 9)))) for n in SHAPE]
    assert array.oindex[tuple(indices)].tobytes() == whole[np.ix_(*indices)].tobytes()
    mixed = (int(rng.integers(0, SHAPE[0])), indices[1], part(SHAPE[2]))
    assert array.oindex[mixed].tobytes() == whole[mixed[0]][indices[1]][:, mixed[2]].tobytes()
    flags = rng.random(SHAPE[1]) < 0.3
    assert array.oindex[:, flags, 3].tobytes() == whole[:, flags, 3].tobytes()
    points = tuple(rng.integers(0, n, 12) for n in SHAPE)
    assert array.vindex[points].tobytes() == whole[points].tobytes()
    mask = rng.random(SHAPE) < 0.003
    assert array.vindex[mask].tobytes() == whole[mask].tobytes()


class Watched(LocalStore):
    """A store whose `get` is its own."""

    seen = 0

    async def get(self, *arguments, **settings):
        type(self).seen += 1
        return await super().get(*arguments, **settings)


@pytest.mark.parametrize(
    ("kind", "at_once"), [(LocalStore, True), (MemoryStore, True), (Watched, False), (WrapperStore, False)]
)
def test_chunks_are_read_by_the_thread_that_decodes_where_the_store_can(arrays, tmp_path, kind, at_once):
    array, whole = arrays["chunks"]
    place = zarr.storage.StorePath(array.store)
    keys = [join(folder, name) for folder, names in folders(place) for name in names]
    copy_objects(place, zarr.storage.StorePath(LocalStore(tmp_path)), keys)
    store = {MemoryStore: array.store, WrapperStore: WrapperStore(array.store)}.get(kind) or kind(tmp_path)
    has_it = hasattr(zarr.storage.StorePath, "get_sync")  # zarr 3.1.6 and later
    assert zarr3.at_once(zarr.storage.StorePath(store, "c/0/0/0")) == (at_once and has_it)
    opened, before = zarr.open_array(store, mode="r"), Watched.seen
    assert (opened[3] == whole[3]).all()
    assert (opened[:, 17:25, 30] == whole[:, 17:25, 30]).all()  # a chunk is missing there
    if kind is Watched:
        assert Watched.seen > before
    (tmp_path / "c/0/0/0").write_bytes(b"TINC, but not really")
    if kind in (LocalStore, Watched):
        with pytest.raises(CorruptStreamError):
            opened[3]


def sizes(part):
    """Leaves and coordinates of a piece, or of each piece of a batch."""
    return part.sizes.tolist() if isinstance(part, Batch) else [(len(part.leaves), len(part.offsets))]


@pytest.mark.parametrize("decoder", ["numpy", "numba"])
def test_only_what_is_asked_for_is_evaluated(arrays, monkeypatch, decoder):
    if decoder == "numba":
        pytest.importorskip("numba")
    set_process(decoder=decoder)
    points = []

    def counted(real):
        def fill(layout, pieces, output, *root):
            pieces = list(pieces)
            points.append(sum(leaves * n for part in pieces for leaves, n in sizes(part)))
            return real(layout, pieces, output, *root)

        return fill

    module = import_module(
        {"numpy": "tinc_codec.tree.inference", "numba": "tinc_codec.backends.numba.inference"}[decoder]
    )
    monkeypatch.setattr(module, "fill", counted(module.fill))
    monkeypatch.setattr(Chunk, "restored", lambda _: pytest.fail("a chunk was decoded whole"))
    stream = random_stream(np.random.default_rng(0), (64, 64, 64), "u2")
    for selection, wanted in [
        (np.s_[3, :, :], 64 * 64),
        (np.s_[::4, 1, ::3], 16 * 22),
        (np.s_[5, 6, 7], 1),
        (np.s_[10:26, 30:46, 1:17], 16**3),
        (np.ix_([1, 40], [2, 33, 60], [9]), 6),
        (([1, 2, 50], [3, 4, 50], [5, 6, 50]), 3),
    ]:
        points.clear()
        decode(stream, selection)
        assert points == [wanted], selection
    for array in (arrays["chunks"][0], arrays["shards"][0]):
        points.clear()
        assert array[5, 3:9, 24:48:2].shape == (6, 12)  # of a chunk that is a network alone
        assert points == [6 * 12]


@pytest.mark.parametrize("layout", ["chunks", "shards"])
def test_dask_and_xarray_read_parts(arrays, layout, monkeypatch):
    da = pytest.importorskip("dask.array")
    xr = pytest.importorskip("xarray")
    array, whole = arrays[layout]
    monkeypatch.setattr(Chunk, "restored", lambda _: pytest.fail("a chunk was decoded whole"))
    lazy = da.from_zarr(array, chunks=(20, 48, 20))
    assert (lazy[7, ::3].compute() == whole[7, ::3]).all()
    labelled = xr.DataArray(lazy, dims=("z", "y", "x"))
    assert (labelled.isel(z=4, x=[1, 9, 50]).values == whole[4][:, [1, 9, 50]]).all()


def test_the_serializer_pickles_with_its_level_and_stores_none():
    from tinc_codec import TINCSerializer

    coarse = TINCSerializer(level=(1, 1))
    assert pickle.loads(pickle.dumps(coarse)) == coarse
    assert coarse != TINCSerializer()
    assert coarse.to_dict() == TINCSerializer().to_dict()
