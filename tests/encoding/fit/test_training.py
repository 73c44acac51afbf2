from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tinc_codec.config import Config  # noqa: E402
from tinc_codec.encoding.allocation import allocate  # noqa: E402
from tinc_codec.encoding.fit import training  # noqa: E402
from tinc_codec.encoding.fit.members import Member  # noqa: E402
from tinc_codec.encoding.fit.samples import samples  # noqa: E402
from tinc_codec.encoding.fit.trainer import Problem, Recipe  # noqa: E402
from tinc_codec.errors import TrainingError  # noqa: E402

CPU = torch.device("cpu")


def problem(volume, parameters=600, budget=500, measure=None, seed=0):
    tree = allocate(volume, parameters, Config(levels=2)).tree
    prepared = samples(tree, volume, None, float(volume.mean()))
    return Problem(tree, prepared, budget, measure or (lambda _: int(budget * 0.97)), seed)


def quietly(_):
    pass


def fit(given, recipe, watch=quietly):
    """Train one chunk, and raise what there is to raise."""
    (outcome,) = training.fit([Member(given, watch)], recipe, CPU)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def same(one, other):
    pairs = zip(one.layers, other.layers, strict=True)
    return all((a.weights == b.weights).all() and (a.biases == b.biases).all() and a.scale == b.scale for a, b in pairs)


def wave(shape=(16, 16, 16)):
    z, y, x = np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij")
    return np.sin(2 * z) * np.cos(3 * x + y)


def test_a_seed_is_repeatable_whatever_the_global_generator_did():
    def once(seed):
        torch.rand(np.random.default_rng().integers(1, 100))
        return fit(problem(wave(), seed=seed), Recipe(60, 256, 3e-2))

    first = once(3)
    assert same(first, once(3))
    assert not same(first, once(4))


def test_divergence_is_noticed_and_retried_at_a_lower_rate(monkeypatch):
    rates = []
    original = training.Trainer.__init__

    def spy(self, problems, recipe, device, retry):
        rates.append(recipe.learning_rate)
        original(self, problems, recipe, device, retry)

    monkeypatch.setattr(training.Trainer, "__init__", spy)
    fitted = fit(problem(wave()), Recipe(200, 256, learning_rate=10))
    assert fitted.retries == len(rates) - 1 > 0
    assert rates == sorted(rates, reverse=True)


def test_training_that_never_converges_is_an_error_that_says_so():
    with pytest.raises(TrainingError, match="diverged 2 times"):
        fit(problem(wave()), Recipe(200, 256, learning_rate=1e30, retries=1))


def test_what_the_watch_raises_stops_the_training():
    class StopError(Exception):
        pass

    seen = []

    def watch(fraction):
        seen.append(fraction)
        if fraction > 0.5:
            raise StopError

    with pytest.raises(StopError):
        fit(problem(wave()), Recipe(200, 256, 3e-2), watch)
    assert seen == sorted(seen)
    assert sum(fraction > 0.5 for fraction in seen) == 1


def test_a_budget_that_cannot_be_met_is_reported():
    fitted = fit(problem(wave(), budget=3, measure=lambda _: 100), Recipe(50, 256, 3e-2))
    assert fitted.reason == "over budget"
    assert fitted.size == 100


def test_cells_that_do_not_count_do_not_disturb():
    volume = wave()
    counts = np.ones(volume.shape, bool)
    counts[:, :, 10:] = False
    spoiled = np.where(counts, volume, 50.0)
    tree = allocate(volume, 600, Config(levels=2)).tree
    clean = samples(tree, volume, counts, 0.0)
    dirty = samples(tree, spoiled, counts, 0.0)
    assert clean.gain == dirty.gain
    assert torch.equal(clean.weights, dirty.weights)
    assert float(clean.weights.mean()) == pytest.approx(1, abs=1e-5)
    assert torch.equal(clean.targets * clean.weights, dirty.targets * dirty.weights)
    assert torch.allclose(clean.means, dirty.means)


def size_of(layers):
    """Bytes that follow the weights."""
    return 300 + sum(int(np.log2(1 + np.abs(layer.weights)).sum()) for layer in layers) // 8


@pytest.fixture(scope="module")
def alike():
    """Problems of one kind, each with a seed and a budget of its own."""
    noise = np.random.default_rng(0).normal(0, 0.05, (3, 16, 16, 16))
    made = [problem(wave() + each, seed=seed, budget=480 + 20 * seed) for seed, each in enumerate(noise)]
    return [replace(each, tree=made[0].tree, measure=size_of) for each in made]


def test_a_chunk_becomes_the_same_whoever_is_beside(alike):
    first, second, third = alike
    lost = replace(first, samples=replace(first.samples, targets=first.samples.targets * torch.nan))
    small = replace(second, budget=10, measure=lambda _: 100)  # is trained on after the others are done
    for short in (Recipe(40, 256, 3e-2, retries=0), Recipe(4, 256, 3e-2, retries=0)):
        pairs = [(first, other) for other in (second, third, lost, small)]
        found = [training.fit([Member(each, quietly) for each in pair], short, CPU) for pair in pairs]
        assert all(same(outcome[0], found[0][0]) and outcome[0].size == found[0][0].size for outcome in found)
        assert not same(*found[0])
        assert isinstance(found[2][1], TrainingError)
        assert found[3][1].reason == "over budget"
        assert found[3][1].steps > found[3][0].steps


def test_a_chunk_in_a_batch_is_trained_as_it_is_alone_but_for_rounding(alike):
    recipe = Recipe(100, 256, 3e-2)
    together = training.Trainer(alike, recipe, CPU, 0)
    alone = [training.Trainer([each], recipe, CPU, 0) for each in alike]
    for number in range(8):
        for each in (together, *alone):
            each.step(0.2 + number / 100, 0.5, False)
    for number, each in enumerate(alone):
        together.calibrate(number)
        each.calibrate(0)
        torch.testing.assert_close(together.theta[number], each.theta[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.control._target[number], each.control._target[0], rtol=1e-4, atol=1e-3)


def test_each_chunks_watch_stops_its_own_training_alone(alike):
    class StopError(Exception):
        pass

    def stopped(fraction):
        if fraction > 0.3:
            raise StopError

    recipe = Recipe(40, 256, 3e-2)
    first, second = training.fit([Member(alike[0], quietly), Member(alike[1], stopped)], recipe, CPU)
    assert isinstance(second, StopError)
    assert same(first, training.fit([Member(each, quietly) for each in alike[:2]], recipe, CPU)[0])


def test_one_that_diverges_is_tried_again_alone(alike, monkeypatch):
    batches = []
    original = training.Trainer.__init__

    def spy(self, problems, recipe, device, retry):
        batches.append((len(problems), retry))
        original(self, problems, recipe, device, retry)

    monkeypatch.setattr(training.Trainer, "__init__", spy)
    lost = replace(alike[0], samples=replace(alike[0].samples, targets=alike[0].samples.targets * torch.nan))
    kept, error = training.fit([Member(alike[1], quietly), Member(lost, quietly)], Recipe(30, 256, 3e-2), CPU)
    assert batches == [(2, 0), (1, 1), (1, 2), (1, 3), (1, 4)]
    assert kept.retries == 0
    assert isinstance(error, TrainingError)
