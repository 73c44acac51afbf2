import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.contexts import CLASSES, UNIT, WEIGHTS
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.fitting import fit_tables, fit_weights
from tinc_codec.detail.quantiser import costs_of
from tinc_codec.detail.section import LARGEST_SUM
from tinc_codec.detail.tables import TOKENS, class_tables


def equations_of(weights, rng, count):
    """Equations of magnitudes that are just what weights expect of random means."""
    rows = rng.exponential(1, (8, WEIGHTS, count))
    magnitudes = np.einsum("nf,nfk->nk", weights / UNIT, rows)
    return np.stack([mine @ np.vstack([mine, mean]).T for mine, mean in zip(rows, magnitudes, strict=True)])


@given(st.integers(0, len(PRESETS) - 1), st.integers(0, 50))
def test_a_preset_that_fits_is_taken(number, seed):
    equations = equations_of(PRESETS[number], np.random.default_rng(seed), 40)
    assert (fit_weights(equations, 1.0) == PRESETS[number]).all()


def test_weights_of_a_chunk_are_fitted_where_that_pays():
    rng = np.random.default_rng(3)
    wanted = np.where(PRESETS[0] > 0, PRESETS[0] + 20, 0)
    equations = equations_of(wanted, rng, 3000)
    fitted = fit_weights(equations, 100.0)
    used = wanted > 0
    assert np.abs(fitted - wanted)[used].sum() < np.abs(PRESETS - wanted)[:, used].sum(1).min() / 2
    assert (fit_weights(equations * 1e-9, 1.0) == PRESETS).all((1, 2)).any()


@given(st.integers(0, 99))
def test_weights_are_within_the_format(seed):
    rng = np.random.default_rng(seed)
    rows, target = rng.normal(0, 5, (8, WEIGHTS, 60)), rng.normal(0, 500, (8, 60))
    equations = np.stack([mine @ np.vstack([mine, mean]).T for mine, mean in zip(rows, target, strict=True)])
    fitted = fit_weights(equations, 1000.0)
    assert fitted.min() >= 0
    assert fitted.sum(1).max() <= LARGEST_SUM


@given(st.integers(0, 99), st.floats(0.02, 0.98), st.integers(0, 20_000))
def test_tables_that_are_fitted_cost_no_more_than_the_defaults(seed, zero, count):
    shares = np.full(TOKENS, (1 - zero) / (TOKENS - 1))
    shares[0] = zero
    rng = np.random.default_rng(seed)
    histogram = rng.multinomial(count, shares, CLASSES)
    deltas = fit_tables(histogram)
    costs = [(costs_of(class_tables(each)) * histogram).sum() for each in (deltas, np.zeros_like(deltas))]
    assert costs[0] <= costs[1] + 1e-3 * max(1, count)
    assert (fit_tables(histogram * 0) == 0).all()
