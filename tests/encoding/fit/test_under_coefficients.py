from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.models import decoded  # noqa: E402
from tinc_codec.backends.choice import backend  # noqa: E402
from tinc_codec.detail.decoding import Detail  # noqa: E402
from tinc_codec.detail.goals import Step, encode  # noqa: E402
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


def problem(volume, width=8):
    tree = Tree(partition(volume.shape, 1), (Level(4, (width,), np.ones(1, np.uint8)),))
    windows = Windows.of(tree, volume, 2**12, torch.device("cpu"))
    alone = Detail.parse(section(volume), volume.shape, backend().detail).parameters
    return Problem(tree, windows, alone.plan, alone.scale, windows.mean)


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
    return [fit(given, recipe, 1, quietly) for recipe in recipes]


def test_what_it_says_it_saves_is_ordered_as_the_bytes_of_the_coder(surface, fits):
    given = problem(surface)
    sizes = [len(section(rest(given, one, surface), given.plan)) for one in fits]
    assert sizes == sorted(sizes, reverse=True)
    assert [one.saved for one in fits] == sorted(one.saved for one in fits)
    alone = len(section(surface, given.plan))
    assert sizes[-1] + fits[-1].own / 8 < 0.85 * alone
    assert fits[-1].saved > 2 * fits[-1].own


def test_noise_is_given_up_after_half_of_the_steps(surface):
    noise = np.random.default_rng(0).normal(0, 100, (24, 24, 24))
    fitted = fit(problem(noise), Recipe(60, 20, worth=1.0), 0, quietly)
    assert fitted.saved < fitted.own
    assert fitted.steps == 40
    assert fit(problem(surface), Recipe(10, 10, worth=-100.0), 0, quietly).steps == 20


def test_a_seed_is_repeatable_whatever_the_global_generator_did(surface):
    def once(seed):
        torch.rand(np.random.default_rng().integers(1, 100))
        return fit(problem(surface), Recipe(12, 8), seed, quietly).layers

    first, again, other = once(3), once(3), once(4)
    assert all((a.weights == b.weights).all() and a.scale == b.scale for a, b in zip(first, again, strict=True))
    assert any((a.weights != b.weights).any() for a, b in zip(first, other, strict=True))


def test_what_is_no_number_is_an_error_that_says_so(surface):
    given = problem(surface)
    spoiled = replace(given, windows=replace(given.windows, leaves=given.windows.leaves * torch.nan))
    with pytest.raises(TrainingError, match="diverged"):
        fit(spoiled, Recipe(3, 0), 0, quietly)


def test_what_the_watch_raises_stops_the_training(surface):
    class StopError(Exception):
        pass

    seen = []

    def watch(fraction):
        seen.append(fraction)
        if fraction > 0.3:
            raise StopError

    with pytest.raises(StopError):
        fit(problem(surface), Recipe(60, 0), 0, watch)
    assert seen == sorted(seen)
    assert sum(fraction > 0.3 for fraction in seen) == 1


@pytest.mark.parametrize("shape", [(50,), (5, 40), (3, 9, 20, 33)])
def test_any_number_of_axes(shape):
    volume = np.sin(np.indices(shape).sum(0) / 5.0) * 300
    fitted = fit(problem(volume, 3), Recipe(4, 4), 0, quietly)
    assert np.isfinite(fitted.saved)
    assert fitted.own > 0
