"""Every way to read a part gives the bytes that the whole has there."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.decoding.kinds import DTYPES, KINDS, SHAPES, streams
from tests.models import random_stream
from tinc_codec import decode, set_process
from tinc_codec.decoding.cache import chunks


def random_selection(rng, shape):
    """Any of NumPy's selections, by what zarr passes on and what people type."""

    def index(n):
        return int(rng.integers(-n, n))

    def a_slice(n):
        ends = sorted(int(k) for k in rng.integers(-2, n + 2, 2))
        step = int(rng.choice([1, 1, 2, 3, 7, -1, -3]))
        start, stop = (ends[0], ends[1]) if step > 0 else (ends[1], ends[0])
        return slice(start if rng.random() < 0.8 else None, stop if rng.random() < 0.8 else None, step)

    def an_array(n):
        return rng.integers(-n, n, int(rng.integers(0, 6)))

    kind = rng.integers(0, 6)
    if kind == 0:
        return tuple(index(n) if rng.random() < 0.4 else a_slice(n) for n in shape)
    if kind == 1:
        return tuple(a_slice(n) for n in shape[: rng.integers(0, len(shape) + 1)])
    if kind == 2:
        return np.ix_(*(an_array(n) for n in shape))
    if kind == 3:
        count = int(rng.integers(0, 30))
        return tuple(rng.integers(-n, n, count) for n in shape)
    if kind == 4:
        return rng.random(shape) < rng.choice([0.01, 0.5])
    mixed = [[index, a_slice, an_array][rng.integers(0, 3)](n) for n in shape]
    arrays = [place for place, item in enumerate(mixed) if isinstance(item, np.ndarray)]
    for place in arrays[1:]:
        mixed[place] = a_slice(shape[place])
    return (*mixed[:1], Ellipsis, *mixed[1:])


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    kind=st.sampled_from(KINDS),
    decoder=st.sampled_from(["numpy", "auto"]),
)
def test_a_part_has_the_bytes_of_the_whole(seed, shape, dtype, kind, decoder):
    rng = np.random.default_rng(seed)
    stream = streams(rng, shape, dtype, kind)
    set_process(decoder="numpy")
    whole = decode(stream)
    set_process(decoder=decoder)
    assert decode(stream).tobytes() == whole.tobytes()
    for _ in range(4):
        selection = random_selection(rng, shape)
        expected = whole[selection]
        part = decode(stream, selection)
        assert (part.shape, part.dtype, part.flags.writeable) == (expected.shape, whole.dtype, True)
        part += part.dtype.type(1) * (part.size > 0)  # what is kept for the next read must not change
        part = decode(stream, selection)
        assert part.tobytes() == np.asarray(expected, whole.dtype).tobytes()  # a scalar has the native byte order


@pytest.mark.parametrize("decoder", ["numpy", "auto"])
def test_scrubbing_through_planes_uses_what_was_evaluated_and_gives_the_same_bytes(decoder):
    stream = random_stream(np.random.default_rng(13), (64, 16, 32), "u2", levels=3, empty=0.0)
    set_process(decoder="numpy")
    whole = decode(stream)
    set_process(decoder=decoder)
    chunks.clear()
    kept = []
    for z in range(64):
        assert decode(stream, z).tobytes() == whole[z].tobytes()
        with chunks.reading(stream) as chunk:
            kept.append(chunk.predictor.root.nbytes)
    if decoder == "numpy":
        planes = chunk.predictor.model.tree.partition.leaf_shape[0]
        assert len(set(kept)) == planes < 64  # the root is evaluated once for each local plane
        assert kept[planes - 1] == kept[-1]
        assert chunk.nbytes > chunk.predictor.nbytes > chunk.predictor.layout.nbytes
