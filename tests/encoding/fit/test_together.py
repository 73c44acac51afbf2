"""Chunks of several threads train as one batch on a GPU, in smaller ones or on the CPU where memory is short."""

import logging
import threading
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoding.fit.test_training import problem as samples_problem  # noqa: E402
from tests.encoding.fit.test_training import wave  # noqa: E402
from tests.encoding.fit.test_under_coefficients import problem, same  # noqa: E402
from tinc_codec import set_process  # noqa: E402
from tinc_codec.encoding.fit import device, together, trainer, training, under_coefficients  # noqa: E402
from tinc_codec.encoding.fit.members import Member  # noqa: E402
from tinc_codec.encoding.fit.under_coefficients import Recipe  # noqa: E402
from tinc_codec.errors import TrainingError  # noqa: E402
from tinc_codec.runtime import shortage  # noqa: E402

CPU = torch.device("cpu")
RECIPE = Recipe(6, 4)


def quietly(*_):
    pass


@pytest.fixture(scope="module")
def problems():
    """Chunks that are alike, each with a seed of its own."""
    base = np.indices((16, 16, 16)).sum(0) * 30.0
    noise = np.random.default_rng(0).normal(0, 3, (4, *base.shape))
    made = [problem(base + each, seed=seed) for seed, each in enumerate(noise)]
    return [replace(each, plan=made[0].plan) for each in made]


class Gpu:
    """A device that holds so many chunks: under a GPU's name the CPU trains, and notes the batches."""

    def __init__(self, monkeypatch, holds):
        self.holds, self.batches, self.place = holds, [], torch.device("cuda:0")
        self.free = threading.Event()
        self._fits = {each: each.fit for each in (under_coefficients, training)}
        monkeypatch.setattr(together, "_gpu", together._Gpu())
        monkeypatch.setattr(together, "LINGER", 0.0)
        monkeypatch.setattr(device, "choose", lambda: self.place)
        for module, real in self._fits.items():
            monkeypatch.setattr(module, "fit", partial(self.fit, real))

    def fit(self, real, members, recipe, place):
        self.batches.append((place.type, len(members)))
        if place == self.place and len(members) > self.holds:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return real(members, recipe, CPU)


def side_by_side(gpu, problems, fit=together.fit, recipe=RECIPE):
    """Train each in a thread of its own; all have come before the device is free."""
    found = {}

    def run(number):
        try:
            found[number] = fit(problems[number], recipe, quietly, quietly)
        except Exception as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(problems))]
    with device.training(1, quietly):
        for thread in threads:
            thread.start()
        while sum(len(batch.members) for batch in together._gpu._meeting._open.values()) < len(problems):
            assert gpu.free.wait(0.01) is False
    for thread in threads:
        thread.join(60)
    return [found[number] for number in range(len(problems))]


@pytest.fixture(scope="module")
def alone(problems):
    return [together.fit(each, RECIPE, quietly, quietly) for each in problems]


@pytest.mark.parametrize(
    ("holds", "batches", "said", "counted"),
    [
        (4, [("cuda", 4)], [], {}),
        (2, [("cuda", 4), ("cuda", 2), ("cuda", 2)], ["train 4 chunks together: now 2 at most"], {"halved": 1}),
        (0, [("cuda", 4)], ["train 4 chunks", "on the CPU"], {"halved": 3, "on_cpu": 4}),
    ],
)
def test_a_batch_is_as_large_as_memory_allows(monkeypatch, caplog, problems, alone, holds, batches, said, counted):
    shortage.taken()
    gpu = Gpu(monkeypatch, holds)
    with caplog.at_level(logging.WARNING, "tinc_codec"):
        found = side_by_side(gpu, problems)
    assert all(same(one, other) for one, other in zip(found, alone, strict=True))
    assert gpu.batches[: len(batches)] == batches
    assert gpu.batches.count(("cpu", 1)) == (4 if holds == 0 else 0)
    for text in said:
        assert any(text in message for message in caplog.messages)
    assert bool(said) == bool(caplog.messages)
    assert shortage.taken() == counted


def test_what_memory_allows_is_remembered(monkeypatch, problems):
    gpu = Gpu(monkeypatch, 2)
    side_by_side(gpu, problems)
    gpu.batches.clear()
    side_by_side(gpu, problems[:2])
    assert gpu.batches == [("cuda", 2)]
    (limit,) = together._gpu._limits.values()
    assert limit == 2


def test_the_process_says_how_many_train_at_the_same_time(monkeypatch, problems):
    gpu = Gpu(monkeypatch, 4)
    set_process(jobs=1)
    together.fit(problems[0], RECIPE, quietly, quietly)
    set_process(jobs=0, batch=1024)
    together.fit(problems[0], RECIPE, quietly, quietly)
    assert gpu.batches == [("cuda", 1)] * 2


def test_on_a_cpu_each_chunk_trains_for_itself(monkeypatch, problems):
    called = []

    def fit(members, recipe, place):
        called.append((len(members), place))
        return [TrainingError("it diverged")]

    set_process(device="cpu")
    monkeypatch.setattr(under_coefficients, "fit", fit)
    with pytest.raises(TrainingError, match="diverged"):
        together.fit(problems[0], RECIPE, quietly, quietly)
    assert called == [(1, CPU)]


def test_problems_of_other_shapes_do_not_meet(problems):
    other = problem(np.indices((16, 16, 20)).sum(0) * 30.0)
    wider = problem(np.indices((16, 16, 16)).sum(0) * 30.0, width=9)
    kinds = {problems[0].kind, problems[1].kind, other.kind, wider.kind}
    assert len(kinds) == 3


@pytest.mark.parametrize(("holds", "batches"), [(3, [("cuda", 3)]), (1, [("cuda", 3)] + [("cuda", 1)] * 3)])
def test_trainings_that_fit_samples_meet_too_each_with_its_budget(monkeypatch, holds, batches):
    volumes = [wave() + number for number in range(3)]
    given = [samples_problem(each, budget=400 + 50 * seed, seed=seed) for seed, each in enumerate(volumes)]
    recipe = trainer.Recipe(20, 256, 3e-2)
    alone = [training.fit([Member(each, quietly)], recipe, CPU)[0] for each in given]
    gpu = Gpu(monkeypatch, holds)
    found = side_by_side(gpu, given, together.fit_samples, recipe)
    assert gpu.batches == batches
    assert [each.reason for each in found] == ["budget met"] * 3
    assert [each.size for each in found] == [each.size for each in alone]
    if holds == 1:
        assert all(same(one, other) for one, other in zip(found, alone, strict=True))


def test_trainings_of_both_sorts_do_not_meet(monkeypatch, problems):
    gpu = Gpu(monkeypatch, 4)
    together.fit_samples(samples_problem(wave()), trainer.Recipe(3, 256, 3e-2), quietly, quietly)
    together.fit(problems[0], RECIPE, quietly, quietly)
    assert gpu.batches == [("cuda", 1)] * 2
    kinds = [samples_problem(wave(), count).kind for count in (600, 600, 900)]
    assert kinds[0] == kinds[1] != kinds[2]
