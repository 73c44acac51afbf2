from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoding.fit.recording import recorded  # noqa: E402
from tests.models import decoded  # noqa: E402
from tinc_codec import set_process  # noqa: E402
from tinc_codec.backends.choice import backend  # noqa: E402
from tinc_codec.detail.decoding import Detail  # noqa: E402
from tinc_codec.detail.goals import Step, encode  # noqa: E402
from tinc_codec.encoding.fit import under_coefficients  # noqa: E402
from tinc_codec.encoding.fit.members import Member  # noqa: E402
from tinc_codec.encoding.fit.under_coefficients import Problem, Recipe, fit  # noqa: E402
from tinc_codec.encoding.fit.windows import Windows  # noqa: E402
from tinc_codec.errors import TrainingError  # noqa: E402
from tinc_codec.tree.model import Model, Parameters  # noqa: E402
from tinc_codec.tree.partition import partition  # noqa: E402
from tinc_codec.tree.structure import Level, Tree  # noqa: E402

STEP = 40.0


@pytest.fixture(scope="module")
def surface():
    """A curved surface between two grey values, and a little noise: what networks hold in few bytes."""
    z, y, x = np.indices((32, 32, 32)) / 31.0 * 2 - 1
    clean = 1000 + 500 * np.tanh(8 * (z + 0.5 * np.sin(2 * x) - 0.4 * np.cos(2 * y) - 0.1))
    return clean + np.random.default_rng(0).normal(0, 3, clean.shape)


CPU = torch.device("cpu")


def fit_one(given, recipe, watch):
    (outcome,) = fit([Member(given, watch)], recipe, CPU)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def problem(volume, width=8, seed=1):
    tree = Tree(partition(volume.shape, 1), (Level(4, (width,), np.ones(1, np.uint8)),))
    windows = Windows.of(tree, volume, 2**12)
    alone = Detail.parse(section(volume), volume.shape, backend().detail).parameters
    return Problem(tree, windows, alone.plan, alone.scale, windows.mean, seed)


def section(volume, plan=None):
    return encode(volume, Step(STEP), backend().detail, plan=plan)


def rest(given, fitted, volume):
    model = Model(given.tree, Parameters.of(fitted.layers), np.dtype("f8"), given.offset, -1e9, 1e9, np.zeros(0))
    return volume - decoded(model)


def quietly(_):
    pass


@pytest.fixture(scope="module")
def fits(surface):
    """Without training, and with ever more of it."""
    given = problem(surface)
    recipes = [Recipe(1, 0), Recipe(120, 0), Recipe(150, 60)]
    return [fit_one(given, recipe, quietly) for recipe in recipes]


def test_what_it_says_it_saves_is_ordered_as_the_bytes_of_the_coder(surface, fits):
    given = problem(surface)
    sizes = [len(section(rest(given, one, surface), given.plan)) for one in fits]
    assert sizes == sorted(sizes, reverse=True)
    assert [one.saved for one in fits] == sorted(one.saved for one in fits)
    alone = len(section(surface, given.plan))
    assert sizes[-1] + fits[-1].own / 8 < 0.85 * alone
    assert fits[-1].saved > 2 * fits[-1].own


def test_noise_is_given_up_after_half_of_the_fine_steps(surface):
    noise = np.random.default_rng(0).normal(0, 100, (24, 24, 24))
    fitted = fit_one(problem(noise), Recipe(60, 20, worth=1.0), quietly)
    assert fitted.saved < fitted.own
    assert fitted.steps == 70
    assert fit_one(problem(surface), Recipe(10, 10, worth=-100.0), quietly).steps == 20


def test_a_seed_is_repeatable_whatever_the_global_generator_did(surface):
    def once(seed):
        torch.rand(np.random.default_rng().integers(1, 100))
        return fit_one(problem(surface, seed=seed), Recipe(12, 8), quietly).layers

    first, again, other = once(3), once(3), once(4)
    assert all((a.weights == b.weights).all() and a.scale == b.scale for a, b in zip(first, again, strict=True))
    assert any((a.weights != b.weights).any() for a, b in zip(first, other, strict=True))


def test_what_is_no_number_is_an_error_that_says_so(surface):
    given = problem(surface)
    spoiled = replace(given, windows=replace(given.windows, leaves=given.windows.leaves * torch.nan))
    with pytest.raises(TrainingError, match="diverged"):
        fit_one(spoiled, Recipe(3, 0), quietly)


def test_what_the_watch_raises_stops_the_training(surface):
    class StopError(Exception):
        pass

    seen = []

    def watch(fraction):
        seen.append(fraction)
        if fraction > 0.3:
            raise StopError

    with pytest.raises(StopError):
        fit_one(problem(surface), Recipe(60, 0), watch)
    assert seen == sorted(seen)
    assert sum(fraction > 0.3 for fraction in seen) == 1


@pytest.mark.parametrize("shape", [(50,), (5, 40), (3, 9, 20, 33)])
def test_any_number_of_axes(shape):
    volume = np.sin(np.indices(shape).sum(0) / 5.0) * 300
    fitted = fit_one(problem(volume, 3), Recipe(4, 4), quietly)
    assert np.isfinite(fitted.saved)
    assert fitted.own > 0


def same(one, other):
    """Whether two fits are the same but for the last bits of sums, which go by where in a batch a number lies."""
    pairs = [(a, b) for a, b in zip(one.layers, other.layers, strict=True)]
    integers = [(getattr(a, of), getattr(b, of)) for a, b in pairs for of in ("weights", "biases")]
    apart = np.concatenate([np.abs(a - b).ravel() for a, b in integers])
    return apart.max() <= 1 and np.mean(apart) < 0.02 and all(a.scale == pytest.approx(b.scale, 1e-3) for a, b in pairs)


@pytest.fixture
def alike(surface):
    """Problems of one kind, each with a seed of its own."""
    volumes = [surface, surface[::-1].copy() + 300, np.random.default_rng(1).normal(500, 30, surface.shape)]
    made = [problem(each, seed=seed) for seed, each in enumerate(volumes)]
    return [replace(each, plan=made[0].plan) for each in made]


def test_a_chunk_becomes_the_same_whoever_is_beside(alike):
    first, second, noise = alike
    spoiled = replace(first, windows=replace(first.windows, leaves=first.windows.leaves * torch.nan))
    recipe = Recipe(20, 12)
    outcomes = [
        fit([Member(each, quietly) for each in (first, other)], recipe, CPU) for other in (second, noise, spoiled)
    ]
    assert all(same(outcome[0], outcomes[0][0]) for outcome in outcomes)
    assert len({outcome[0].saved for outcome in outcomes}) == 1
    assert not same(*outcomes[0])


def test_a_chunk_in_a_batch_is_trained_as_it_is_alone_but_for_rounding(alike):
    recipe = Recipe(20, 12)
    together = under_coefficients._Trainer(alike, recipe, CPU)
    alone = [under_coefficients._Trainer([each], recipe, CPU) for each in alike]
    for number in range(8):  # later, roundings of single weights tell them apart
        for each in (together, *alone):
            each.step(number)
    for number, each in enumerate(alone):
        torch.testing.assert_close(together.theta[number], each.theta[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.theta.grad[number], each.theta.grad[0], rtol=1e-3, atol=1.0)


def test_one_that_fails_or_is_stopped_or_does_not_pay_leaves_the_others_alone(alike):
    class StopError(Exception):
        pass

    def stopped(fraction):
        if fraction > 0.3:
            raise StopError

    good, other, noise = alike
    spoiled = replace(good, windows=replace(good.windows, leaves=good.windows.leaves * torch.nan))
    recipe = Recipe(60, 60, worth=0.2)
    given = [(good, quietly), (spoiled, quietly), (other, stopped), (noise, quietly)]
    fitted, failed, ended, vain = fit([Member(*each) for each in given], recipe, CPU)
    assert isinstance(failed, TrainingError)
    assert isinstance(ended, StopError)
    assert (fitted.steps, vain.steps) == (120, 90)


def test_where_nobody_is_left_training_ends(surface):
    seen = []

    def stopped(fraction):
        seen.append(fraction)
        raise TrainingError("enough")

    outcomes = fit([Member(problem(surface), stopped)] * 2, Recipe(10**9, 0), CPU)
    assert [str(each) for each in outcomes] == ["enough"] * 2
    assert seen == [0.0, 0.0]


@pytest.mark.parametrize("levels", [1, 3])
def test_a_step_can_be_recorded_and_replayed(surface, levels):
    """Within a phase all that differs lies in tensors that stay where they are, and the host looks at none of them."""
    given = [problem(surface, seed=seed) for seed in (0, 1)]
    if levels == 3:  # nodes of two classes, some of them empty: what their parents gave is gathered
        classes = np.random.default_rng(0).integers(0, 3, 64).astype(np.uint8)
        above = (Level(1, (5,), np.ones(1, np.uint8)), Level(1, (4,), np.ones(8, np.uint8)))
        tree = Tree(partition(surface.shape, 3), (*above, Level(1, (3, 2), classes)))
        windows = Windows.of(tree, surface, 2**12)
        given = [replace(each, tree=tree, windows=windows) for each in given]
    recipe, phases = Recipe(10, 10), []
    set_process(decoder="numpy")  # what is compiled for a CPU is nothing for a device
    trainer = under_coefficients._Trainer(given, recipe, CPU)

    def watched(phase):
        phases.append(phase)
        if phases.count(phase) == 1:  # what is made at the first step of a phase is kept
            trainer._work(phase)
            return
        with recorded(trainer):
            trainer._work(phase)

    trainer.run_step = watched
    for number in range(recipe.steps):
        trainer.step(number)
    assert len(set(phases)) == 4
