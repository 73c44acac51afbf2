"""One step of training to fit samples is the same whether it runs or is recorded."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from tests.encoding.fit.recording import recorded  # noqa: E402
from tests.encoding.fit.test_training import CPU, problem, wave  # noqa: E402
from tinc_codec import set_process  # noqa: E402
from tinc_codec.encoding.fit.trainer import Recipe, Trainer  # noqa: E402


@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_can_be_recorded_and_replayed(weighted):
    given = problem(wave())
    if weighted:
        given.samples.weights = torch.ones_like(given.samples.targets)
    recipe = Recipe(40, 256, 3e-2)
    set_process(decoder="numpy")  # what is compiled for a CPU is nothing for a device
    trainer = Trainer([given, replace(given, seed=9)], recipe, CPU, 0)
    trainer.step(0.0, 0.1, False)

    def watched(final):
        with recorded(trainer, trainer.control):
            trainer._work(final)

    trainer.run_step = watched
    for number in range(1, 8):
        trainer.step(number / 8, 0.5, number > 4)
        if number == 5:
            trainer.calibrate(1)
