import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detail.cases import known, plans, random_model
from tinc_codec import set_process
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.quantiser import Quantiser, costs_of
from tinc_codec.errors import CorruptStreamError

TWINS = (reference.walker, compiled.walker)
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=25)
@given(plans(), SEEDS)
def test_both_write_the_same_and_read_what_was_written(plan, seed):
    model, numbers = random_model(plan, seed)
    codes = []
    for twin in TWINS:
        writer = twin(model, numbers, known(model, numbers))
        codes.append([writer.write(piece) for piece in model.layout.pieces])
    assert codes[0] == codes[1]
    for twin in TWINS:
        read = np.zeros_like(numbers)
        reader = twin(model, read)
        for piece, code in zip(model.layout.pieces, codes[0], strict=True):
            reader.read(piece, code)
        assert np.array_equal(read, numbers)
        assert np.array_equal(reader.magnitudes, known(model, numbers))


@settings(max_examples=15)
@given(plans(12), SEEDS)
def test_both_quantise_alike_and_gather_the_same_equations(plan, seed):
    model, numbers = random_model(plan, seed)
    rng = np.random.default_rng(seed)
    steps = rng.uniform(0.5, 2, len(plan.bands))
    coefficients = (numbers * rng.uniform(0.3, 2, numbers.size)).astype(np.float32)
    results = []
    for twin in TWINS:
        quantiser, quantised = Quantiser(coefficients, steps, costs_of(model.tables)), np.zeros_like(numbers)
        worker = twin(model, quantised)
        tallies = [worker.quantise(piece, quantiser) for piece in model.layout.pieces]
        assert np.array_equal(worker.magnitudes, known(model, quantised))
        gatherer = twin(model, quantised, worker.magnitudes)
        rows = [gatherer.gather(piece, every) for piece in model.layout.pieces for every in (1, 3)]
        results.append((quantised, tallies, rows))
    (one, tallies, rows), (other, others, equations) = results
    assert np.array_equal(one, other)
    for its, theirs in zip(tallies, others, strict=True):
        assert np.array_equal(its.histogram, theirs.histogram)
        assert np.allclose(its.sums, theirs.sums)
    assert np.allclose(rows, equations)


@settings(max_examples=10)
@given(plans(), SEEDS, st.sampled_from([1, 300]), st.sampled_from([1, 3]))
def test_parts_of_a_piece_give_the_equations_of_the_whole(plan, seed, part, threads):
    model, numbers = random_model(plan, seed)
    set_process(threads=threads)
    whole, parts = (twin(model, numbers, known(model, numbers)) for twin in TWINS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinc_codec.backends.numba.detail.walker._PART", part)
        for piece in model.layout.pieces:
            assert np.allclose(parts.gather(piece, 3), whole.gather(piece, 3))
    assert np.array_equal(parts.magnitudes, whole.magnitudes)


PLAN = Plan((2, 9, 14, 17), (Group((0,), 1), Group((1,), 1), Group((2, 3), 2)), 8)


def _read(twin, model, numbers, piece, code):
    """Numbers after a piece was read; None: that is an error."""
    numbers = numbers.copy()
    try:
        twin(model, numbers, known(model, numbers)).read(piece, code)
    except CorruptStreamError:
        return None
    return numbers.tobytes()


def test_every_cut_of_a_code_is_read_alike_and_never_as_the_whole():
    model, numbers = random_model(Plan((2, 5, 6, 9), PLAN.groups, PLAN.tile), 5)
    writer = TWINS[0](model, numbers, known(model, numbers))
    for piece in model.layout.pieces:
        code, others = writer.write(piece), numbers.copy()
        for band, box in zip(piece.bands, piece.boxes, strict=True):
            model.layout.view(others, band)[tuple(slice(*ends) for ends in box)] = 0
        for end in {*range(0, len(code), 7), *range(max(0, len(code) - 5), len(code))}:
            outcomes = [_read(twin, model, others, piece, code[:end]) for twin in TWINS]
            assert outcomes[0] == outcomes[1]
            assert outcomes[0] != numbers.tobytes()


@settings(max_examples=20)
@given(st.binary(min_size=1, max_size=300), SEEDS)
def test_any_bytes_are_read_alike(code, seed):
    model, _ = random_model(PLAN, seed)
    zeros = np.zeros(model.layout.size, np.int32)
    outcomes = [_read(twin, model, zeros, model.layout.pieces[0], code) for twin in TWINS]
    assert outcomes[0] == outcomes[1]
