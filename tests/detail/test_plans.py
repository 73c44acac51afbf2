import numpy as np
import pytest

from tests.detail.cases import smooth
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import plans
from tinc_codec.detail.encoding import Samples, transform
from tinc_codec.detail.section import four


def test_a_plan_is_chosen_that_follows_what_is_smooth():
    rng = np.random.default_rng(0)
    along = np.repeat(rng.normal(size=(1, 32, 32)), 64, axis=0)  # the same in every plane
    samples = Samples.of(along.reshape(four(along.shape)))
    best = plans.choose(samples, np.ldexp(0.5, -samples.scale.exponent), compiled, 2).plan
    depth = {axis: group.depth for group in best.groups for axis in group.axes}
    assert depth[1] >= 4


def test_plans_are_compared_on_the_whole_where_its_middle_is_unlike():
    rng = np.random.default_rng(0)
    volume = rng.normal(size=(1, 96, 96, 96))
    volume[:, 24:72, 24:72, 24:72] = 0
    volume[0, 24:72] += smooth((48, 96, 96))
    volume[0] += 100 * np.repeat(rng.normal(size=(1, 96, 96)), 96, axis=0)
    samples = Samples.of(volume)
    step = float(np.ldexp(1.0, -samples.scale.exponent))
    costs = {plan: plans.cost(transform(samples, plan, compiled), step) for plan in plans.candidates(volume.shape)}
    best = plans.choose(samples, step, compiled, len(costs)).plan
    assert costs[best] == min(costs.values())


def test_what_plans_share_is_split_once_and_costs_the_same(monkeypatch):
    samples = Samples.of(smooth((20, 24, 28)).reshape(four((20, 24, 28))))
    splits, costs = plans.shared(samples), {}
    for plan in plans.candidates(samples.values.shape):
        one, other = transform(samples, plan, compiled), transform(samples, plan, compiled, splits)
        assert (one.values == other.values).all()
        assert plans.cost(one, 2**12) == pytest.approx(plans.cost(other, 2**12, costs), rel=1e-12)
    made = len(splits)
    transform(samples, plans.usual(samples.values.shape), compiled, splits)
    assert len(splits) == made
    assert plans.shared(Samples.of(np.zeros((1, 64, 64, 65)))) is None
