"""Bytes after what belongs there are refused, behind a right checksum, by both decoders, in every section."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.corpus import streams
from tinc_codec import CorruptStreamError, decode, set_process
from tinc_codec.residual import section as residual_section
from tinc_codec.stream.container import Container, Section, pack, unpack
from tinc_codec.stream.crop import kept_shape
from tinc_codec.stream.entropy import Decoder, Encoder, Table
from tinc_codec.tree.partition import fold

CORPUS = dict(streams())
DECODERS = pytest.mark.parametrize("decoder", ["numba", "numpy"])
REST = {"one zero": bytes(1), "zeros": bytes(16), "others": bytes(range(1, 17))}


def with_section(stream, kind, payload):
    container = unpack(stream)
    return pack(Container(container.header, {**container.sections, kind: payload}))


CASES = [
    pytest.param(name, Section(kind), id=f"{name} {Section(kind).name.lower()}")
    for name, stream in CORPUS.items()
    for kind in unpack(stream).sections
]


@pytest.mark.parametrize("rest", REST)
@pytest.mark.parametrize(("name", "kind"), CASES)
@DECODERS
def test_no_section_has_bytes_after_its_end(decoder, name, kind, rest):
    set_process(decoder=decoder)
    stream = with_section(CORPUS[name], kind, unpack(CORPUS[name]).sections[kind] + REST[rest])
    with pytest.raises(CorruptStreamError):
        decode(stream)


@pytest.mark.parametrize("name", [name for name in CORPUS if name.startswith("residual")])
@DECODERS
def test_no_tile_has_words_after_its_code(decoder, name):
    set_process(decoder=decoder)
    container = unpack(CORPUS[name])
    shape = fold(kept_shape(container))
    parameters, codes = residual_section.unpack(
        container.section(Section.RESIDUAL), shape, container.header.dtype.newbyteorder("=")
    )
    longer = [*codes[:-1], codes[-1] + REST["others"]]
    stream = with_section(CORPUS[name], Section.RESIDUAL, residual_section.pack(parameters, longer))
    with pytest.raises(CorruptStreamError, match="does not end where its symbols do"):
        decode(stream)


@given(seed=st.integers(0, 2**32), rest=st.integers(0, 40))
def test_a_range_coders_words_end_where_its_symbols_do(seed, rest):
    rng = np.random.default_rng(seed)
    runs = []
    encoder = Encoder()
    for _ in range(rng.integers(1, 4)):
        weights = rng.integers(0, 10 ** int(rng.integers(1, 7)), int(rng.integers(2, 40)))
        weights[0] = weights[1] = 1
        table = Table.of(weights.tolist())
        symbols = rng.choice(len(weights), int(rng.integers(0, 300)), p=weights / weights.sum())
        runs.append((len(symbols), table))
        encoder.coded(symbols, table)
    for code, whole in ((encoder.bytes(), True), (encoder.bytes() + rng.bytes(12 + 4 * rest), False)):
        decoder = Decoder(code)
        for number, table in runs:
            decoder.coded(number, table)
        if whole:
            decoder.end()
        else:
            with pytest.raises(CorruptStreamError, match="does not end where its symbols do"):
                decoder.end()
