"""Workers of the host: arrays stay, and what is done to some pieces is what is done to each."""

import numpy as np

from tests.detail.cases import known, random_model
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import host, reference
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.quantiser import Quantiser, costs_of
from tinc_codec.detail.sample import Sample

PLAN = Plan((1, 40, 9, 17), (Group((0,), 0), Group((1, 2, 3), 2)), 8)


def test_arrays_stay_where_they_are():
    values = np.arange(6.0).reshape(2, 3)
    assert host.placed(values) is values
    assert host.on_host(values) is values
    assert host.flat([values, values[:1]]).tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2]


def test_each_piece_counts_as_often_as_its_weight_says():
    model, numbers = random_model(PLAN, 1)
    count = len(model.layout.pieces)
    coefficients = numbers.astype(np.float32)
    quantiser = Quantiser(coefficients, np.full(len(PLAN.bands), 1.3), costs_of(model.tables))
    for work in (reference, compiled):
        results = []
        for weights in (np.ones(count), np.full(count, 2.5)):
            walker = work.walker(model, np.zeros_like(numbers))
            sample = Sample(model.layout, tuple(range(count)), weights)
            results.append((walker.tally(sample, quantiser), walker.equations(sample, 3)))
        (one, rows), (other, others) = results
        assert np.allclose(2.5 * one.histogram, other.histogram)
        assert np.allclose(2.5 * one.sums, other.sums)
        assert np.allclose(2.5 * rows, others)


def test_codes_are_those_of_each_piece():
    model, numbers = random_model(PLAN, 2)
    for work in (reference, compiled):
        walker = work.walker(model, numbers, known(model, numbers))
        assert walker.codes() == [walker.write(piece) for piece in model.layout.pieces]
