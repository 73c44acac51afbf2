"""Tokens of a pass: what is written is read, by single tokens and by runs of zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.coding import PIECE, Symbols, groups, pieces, read_tokens, write_tokens
from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.tables import DEFAULTS, ESCAPE, LEAST_MEMBERS, class_tables
from tinc_codec.stream.ans import PieceDecoder
from tinc_codec.stream.entropy import uniform

TABLES = class_tables(np.zeros(DEFAULTS.shape, np.int32))


@given(classes=st.lists(st.integers(0, CLASSES - 1), max_size=60))
def test_groups_hold_every_place_once_and_in_order(classes):
    classes = np.array(classes, np.uint8)
    numbers, places = [], []
    for number, some in groups(classes):
        assert (classes[some] == number).all()
        assert (np.diff(some) > 0).all()
        numbers.append(number)
        places += some.tolist()
    assert numbers == sorted(set(classes.tolist()))
    assert sorted(places) == list(range(len(classes)))


@given(bits=st.integers(0, 60))
def test_pieces_cover_all_bits_and_none_is_too_large(bits):
    covered = [bit for low, size in pieces(bits) for bit in range(low, low + size)]
    assert covered == list(range(bits))
    assert all(0 < size <= PIECE for _, size in pieces(bits))


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 3 * LEAST_MEMBERS),
    busy=st.sampled_from([0.0, 0.01, 0.5]),
    kinds=st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=3),
)
def test_tokens_that_are_written_are_read(seed, count, busy, kinds):
    rng = np.random.default_rng(seed)
    classes = rng.choice(kinds, count).astype(np.uint8)
    tokens = np.where(rng.random(count) < busy, rng.integers(0, ESCAPE + 1, count), 0)
    symbols = Symbols()
    write_tokens(symbols, TABLES, classes, tokens)
    read = read_tokens(PieceDecoder(symbols.code()), TABLES, classes)
    assert read.tolist() == tokens.tolist()


def test_zeros_that_are_likely_cost_next_to_nothing():
    classes = np.zeros(20_000, np.uint8)
    assert TABLES[0].runs
    symbols = Symbols()
    write_tokens(symbols, TABLES, classes, np.zeros(20_000, np.int64))
    assert len(symbols.code()) < 100


@pytest.mark.parametrize("bits", [1, 12, 13, 30])
def test_bits_are_read_as_they_were_put(bits):
    values = np.array([0, 1, (1 << bits) - 1])
    symbols = Symbols()
    symbols.bits(values, bits)
    decoder, read = PieceDecoder(symbols.code()), np.zeros(3, np.int64)
    for low, size in pieces(bits):
        read += decoder.coded(3, uniform(size)).astype(np.int64) << low
    assert read.tolist() == values.tolist()
