import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import reference
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.ans_lanes import LANES, LaneDecoder, LaneEncoder
from tinc_codec.stream.entropy import TABLES, best_table
from tinc_codec.stream.fields import FieldReader

DECODERS = ["numpy", "numba"]


class Compiled:
    """numba's decoder with the calls of `LaneDecoder`."""

    def __init__(self, section):
        from tinc_codec.backends.numba import model_section as model_numba
        from tinc_codec.backends.numba import weights as weights_numba

        self.model, self.weights = model_numba, weights_numba
        data = np.frombuffer(section.raw(section.remaining), np.uint8)
        self.words, self.state, good = model_numba.decoder(data, True)
        if not good:
            raise CorruptStreamError("lanes that make no sense")

    def laplace(self, count, table, largest):
        symbols = np.empty(count, np.int32)
        assert self.weights.laplace(self.words, self.state, table, largest, symbols)
        return symbols - np.int32(largest)

    def symbols(self, counts):
        symbols = np.empty(sum(counts), np.int32)
        assert self.weights.by_counts(self.words, self.state, np.array(counts), symbols)
        return symbols

    def end(self):
        if not self.model.ended(self.words, self.state):
            raise CorruptStreamError("entropy-coded data does not end where the weights do")


def decoder_of(data, decoder):
    if decoder == "numba":
        pytest.importorskip("numba")
    return (Compiled if decoder == "numba" else LaneDecoder)(FieldReader(data, "lanes"))


def coded(*arrays):
    encoder = LaneEncoder()
    for values in arrays:
        encoder.laplace(np.array(values), 90, 40)
    return encoder.bytes()


@pytest.mark.parametrize("decoder", DECODERS)
@given(
    parts=st.lists(
        st.tuples(st.integers(0, TABLES - 1), st.integers(1, 2047), st.lists(st.integers(-2047, 2047), max_size=30)),
        max_size=6,
    )
)
def test_round_trip_and_the_format_documents_decoder(parts, decoder):
    parts = [(scale, largest, np.clip(values, -largest, largest).astype(int)) for scale, largest, values in parts]
    encoder = LaneEncoder()
    for scale, largest, values in parts:
        encoder.laplace(values, scale, largest)
    lanes, plain = decoder_of(encoder.bytes(), decoder), reference.Lanes(encoder.bytes())
    for scale, largest, values in parts:
        assert lanes.laplace(len(values), scale, largest).tolist() == values.tolist()
        table = reference.laplace(scale, largest)
        assert [symbol - largest for symbol in plain.array(table, len(values))] == values.tolist()
    lanes.end()
    plain.end()


@pytest.mark.parametrize("decoder", DECODERS)
@given(symbols=st.lists(st.integers(0, 4), min_size=1, max_size=200))
def test_symbols_by_their_counts(symbols, decoder):
    counts = np.bincount(symbols, minlength=5).tolist()
    encoder = LaneEncoder()
    encoder.symbols(np.array(symbols), counts)
    lanes = decoder_of(encoder.bytes(), decoder)
    assert lanes.symbols(counts).tolist() == symbols
    lanes.end()


@pytest.mark.parametrize("decoder", DECODERS)
def test_nothing_takes_no_words(decoder):
    data = coded([], [])
    assert data == bytes(LANES - 1)
    lanes = decoder_of(data, decoder)
    assert lanes.laplace(0, 90, 40).tolist() == []
    lanes.end()


@pytest.mark.parametrize("spread", [0.3, 2.0, 30.0, 300.0])
def test_code_is_close_to_the_entropy(spread):
    values = np.clip(np.rint(np.random.default_rng(0).laplace(0, spread, 20000)), -2047, 2047).astype(int)
    largest = int(np.abs(values).max())
    encoder = LaneEncoder()
    encoder.laplace(values, best_table(values, largest), largest)
    counts = np.bincount(values + largest)
    entropy = -(counts[counts > 0] * np.log2(counts[counts > 0] / len(values))).sum()
    assert len(encoder.bytes()) * 8 < entropy * 1.03 + 80


@pytest.mark.parametrize("decoder", DECODERS)
def test_what_is_left_over_is_refused(decoder):
    values = np.arange(-40, 41)
    lanes = decoder_of(coded(values), decoder)
    lanes.laplace(len(values) - 1, 90, 40)
    with pytest.raises(CorruptStreamError, match="does not end where the weights do"):
        lanes.end()
    lanes.laplace(1, 90, 40)  # in lane 0, where the last array has it in lane 0, too
    lanes.end()


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x00\x00", "ends early"),
        (b"\x00\x00\x00abc", "words of 4 bytes"),
        (b"\x02\x02\x00" + bytes(range(1, 13)), "lanes of"),
        (b"\x01\x00\x00" + bytes(4), "ends with a word of 0"),
        (b"\x7f\x00\x00abcd", "at most"),
    ],
)
def test_lanes_that_make_no_sense_are_refused(decoder, data, message):
    with pytest.raises(CorruptStreamError, match=message if decoder == "numpy" else "make no sense"):
        decoder_of(data, decoder)


@given(
    data=st.binary(max_size=64),
    lengths=st.lists(st.integers(0, 3), min_size=LANES - 1, max_size=LANES - 1),
    largest=st.integers(1, 2047),
    scale=st.integers(0, TABLES - 1),
    count=st.integers(0, 60),
)
def test_any_words_give_both_decoders_the_same_or_are_refused_by_both(data, lengths, largest, scale, count):
    pytest.importorskip("numba")
    answers = []
    for decoder in DECODERS:
        try:
            lanes = decoder_of(bytes(lengths) + data, decoder)
        except CorruptStreamError:
            answers.append(None)
            continue
        values = lanes.laplace(count, scale, largest)
        assert np.abs(values).max(initial=0) <= largest
        try:
            lanes.end()
            answers.append((values.tolist(), True))
        except CorruptStreamError:
            answers.append((values.tolist(), False))
    assert answers[0] == answers[1]
