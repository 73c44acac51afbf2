"""Equations that predictors are fitted by: the compiled ones are the reference's, and say what fits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import set_process
from tinc_codec.backends.numba import backend as compiled
from tinc_codec.residual import equations
from tinc_codec.residual.equations import LARGEST, Voxels
from tinc_codec.residual.lattices import Surroundings
from tinc_codec.residual.prediction import FAR, SPREADS, PassModel

TOP = 900


def voxels(rng, count, pairs, spread=TOP):
    def some(*shape):
        return rng.integers(0, spread + 1, shape).astype(np.float64)

    around = Surroundings(some(pairs, count), some(2 * min(FAR, pairs), count), some(2, count))
    return Voxels(around, some(count), some(count))


@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([1, 7, 256, 257, 9000]),
    pairs=st.integers(2, 24),
    spread=st.sampled_from([0, 3, TOP]),
    threads=st.sampled_from([1, 2]),
    doubt=st.sampled_from([0.25, 1.0, 33.0]),
)
def test_the_compiled_equations_are_those_of_the_reference(seed, count, pairs, spread, threads, doubt):
    set_process(threads=threads)
    rng = np.random.default_rng(seed)
    some = voxels(rng, count, pairs, spread)
    model = PassModel(tuple(rng.integers(-300, 300, pairs).tolist()), int(rng.integers(-99, 99)), (0,) * SPREADS, 0)
    for of in (
        lambda who: who.of_prediction(some, doubt),
        lambda who: who.of_spread(some, model, TOP, doubt),
    ):
        one, two = of(equations), of(compiled)
        assert (one.products == two.products).all()
        assert (one.scales == two.scales).all()
        assert (one.products == one.products.T).all()
        assert (one.products == np.rint(one.products)).all()
        assert np.abs(one.products).max() <= count * LARGEST**2


def test_the_largest_equation_is_as_large_as_it_may_be():
    some = voxels(np.random.default_rng(1), 500, 3)
    products, scales = equations.of_prediction(some, 2.0)
    assert (scales > 0).all()
    assert (np.diag(products) >= LARGEST**2 * 0.99).all()


def test_what_is_a_sum_of_terms_is_solved_for():
    rng = np.random.default_rng(2)
    some = voxels(rng, 4000, 3)
    first, second, third = some.around.pairs
    exact = some._replace(target=first / 2 + 0.25 * (2 * some.base - first) - 0.125 * second + 0.5 * third + 3)
    products, scales = equations.of_prediction(exact, 1.0)
    solution = np.linalg.solve(products[:-1, :-1], products[:-1, -1]) * scales[:-1] / scales[-1]
    assert np.allclose(solution, [3, 0.25, -0.125, 0.5], atol=0.02)
