import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoding.fit.recording import recorded  # noqa: E402
from tinc_codec.config import Config  # noqa: E402
from tinc_codec.encoding.allocation import allocate  # noqa: E402
from tinc_codec.encoding.fit import training  # noqa: E402
from tinc_codec.encoding.fit.samples import samples  # noqa: E402
from tinc_codec.errors import TrainingError  # noqa: E402


def problem(volume, parameters=600, budget=500, measure=None):
    tree = allocate(volume, parameters, Config(levels=2)).tree
    prepared = samples(tree, volume, None, float(volume.mean()), torch.device("cpu"))

    return training.Problem(tree, prepared, budget, measure or (lambda _: int(budget * 0.97)))


def wave(shape=(16, 16, 16)):
    z, y, x = np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij")
    return np.sin(2 * z) * np.cos(3 * x + y)


def test_a_seed_is_repeatable_whatever_the_global_generator_did():
    def once(seed):
        torch.rand(np.random.default_rng().integers(1, 100))
        return training.fit(problem(wave()), training.Recipe(60, 256, 3e-2), seed, lambda _: None).layers

    first, again, other = once(3), once(3), once(4)
    assert all((a.weights == b.weights).all() and a.scale == b.scale for a, b in zip(first, again, strict=True))
    assert any((a.weights != b.weights).any() for a, b in zip(first, other, strict=True))


def test_divergence_is_noticed_and_retried_at_a_lower_rate(monkeypatch):
    rates = []
    original = training._Trainer.__init__

    def spy(self, problem, recipe, seed):
        rates.append(recipe.learning_rate)
        original(self, problem, recipe, seed)

    monkeypatch.setattr(training._Trainer, "__init__", spy)
    fitted = training.fit(problem(wave()), training.Recipe(200, 256, learning_rate=10), 0, lambda _: None)
    assert fitted.retries == len(rates) - 1 > 0
    assert rates == sorted(rates, reverse=True)


def test_training_that_never_converges_is_an_error_that_says_so():
    with pytest.raises(TrainingError, match="diverged 2 times"):
        training.fit(problem(wave()), training.Recipe(200, 256, learning_rate=1e30, retries=1), 0, lambda _: None)


def test_what_the_watch_raises_stops_the_training():
    class StopError(Exception):
        pass

    seen = []

    def watch(fraction):
        seen.append(fraction)
        if fraction > 0.5:
            raise StopError

    with pytest.raises(StopError):
        training.fit(problem(wave()), training.Recipe(200, 256, 3e-2), 0, watch)
    assert seen == sorted(seen)
    assert sum(fraction > 0.5 for fraction in seen) == 1


def test_a_budget_that_cannot_be_met_is_reported():
    fitted = training.fit(
        problem(wave(), budget=3, measure=lambda _: 100), training.Recipe(50, 256, 3e-2), 0, lambda _: None
    )
    assert fitted.reason == "over budget"
    assert fitted.size == 100


def test_cells_that_do_not_count_do_not_disturb():
    volume = wave()
    counts = np.ones(volume.shape, bool)
    counts[:, :, 10:] = False
    spoiled = np.where(counts, volume, 50.0)
    tree = allocate(volume, 600, Config(levels=2)).tree
    clean = samples(tree, volume, counts, 0.0, torch.device("cpu"))
    dirty = samples(tree, spoiled, counts, 0.0, torch.device("cpu"))
    assert clean.gain == dirty.gain
    assert torch.equal(clean.weights, dirty.weights)
    assert float(clean.weights.mean()) == pytest.approx(1, abs=1e-5)
    assert torch.equal(clean.targets * clean.weights, dirty.targets * dirty.weights)
    assert torch.allclose(clean.means, dirty.means)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_can_be_recorded_and_replayed(weighted):
    given = problem(wave())
    if weighted:
        given.samples.weights = torch.ones_like(given.samples.targets)
    recipe = training.Recipe(40, 256, 3e-2)
    trainer = training._Trainer(given, recipe, 0)
    trainer._step(0.0, 0.1, False)

    def watched(final):
        with recorded(trainer, trainer.control):
            trainer._work(final)

    trainer.run_step = watched
    for number in range(1, 8):
        trainer._step(number / 8, 0.5, number > 4)
        if number == 5:
            trainer._calibrate()
