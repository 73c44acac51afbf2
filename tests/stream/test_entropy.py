import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import reference
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.entropy import (
    PRECISION,
    TABLES,
    Decoder,
    Encoder,
    best_table,
    count_frequencies,
    decay,
    laplace_frequencies,
)


@given(scale=st.integers(0, TABLES - 1), largest=st.integers(1, 2047))
def test_tables_are_those_of_the_format_document(scale, largest):
    table = laplace_frequencies(scale, largest)
    assert table.sum() == 2**PRECISION
    assert table.min() >= 1
    assert table.tolist() == reference.laplace(scale, largest)


@given(
    parts=st.lists(
        st.tuples(st.integers(0, TABLES - 1), st.integers(1, 2047), st.lists(st.integers(-2047, 2047), max_size=30)),
        max_size=6,
    )
)
def test_round_trip_and_the_format_documents_range_decoder(parts):
    parts = [(scale, largest, np.clip(values, -largest, largest).astype(int)) for scale, largest, values in parts]
    encoder = Encoder()
    for scale, largest, values in parts:
        encoder.laplace(values, scale, largest)
    data = encoder.bytes()
    decoder, plain = Decoder(data), reference.Range(data)
    for scale, largest, values in parts:
        assert decoder.laplace(len(values), scale, largest).tolist() == values.tolist()
        table = reference.laplace(scale, largest)
        assert [plain.symbol(table) - largest for _ in values] == values.tolist()


@given(symbols=st.lists(st.integers(0, 4), min_size=1, max_size=200))
def test_symbols_by_their_counts(symbols):
    counts = np.bincount(symbols, minlength=5).tolist()
    encoder = Encoder()
    encoder.symbols(np.array(symbols), counts)
    assert Decoder(encoder.bytes()).symbols(counts).tolist() == symbols
    assert count_frequencies(counts).sum() == 2**PRECISION


@pytest.mark.parametrize("spread", [0.3, 2.0, 30.0, 300.0])
def test_code_is_close_to_the_entropy(spread):
    values = np.clip(np.rint(np.random.default_rng(0).laplace(0, spread, 20000)), -2047, 2047).astype(int)
    largest = int(np.abs(values).max())
    table = best_table(values, largest)
    encoder = Encoder()
    encoder.laplace(values, table, largest)
    counts = np.bincount(values + largest)
    entropy = -(counts[counts > 0] * np.log2(counts[counts > 0] / len(values))).sum()
    assert len(encoder.bytes()) * 8 < entropy * 1.03 + 80


def test_tables_grow_from_certainty_to_flatness():
    falls = [numerator / 2**exponent for numerator, exponent in map(decay, range(TABLES))]
    assert falls == sorted(falls)
    assert falls[0] < 0.04
    assert falls[-1] > 0.9999


@given(data=st.binary(max_size=64), largest=st.integers(1, 2047), scale=st.integers(0, TABLES - 1))
def test_any_words_decode_or_are_refused(data, largest, scale):
    try:
        values = Decoder(data).laplace(50, scale, largest)
    except CorruptStreamError:
        return
    assert np.abs(values).max() <= largest
