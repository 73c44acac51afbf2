"""The weight of the rate term is steered to the budget."""

import math

import pytest

torch = pytest.importorskip("torch")

from tinc_codec.encoding.fit.rate import RAMP, START, RateControl  # noqa: E402

CPU = torch.device("cpu")


def test_rate_control_finds_the_weight_that_meets_the_target():
    control = RateControl([4000], parameters=1000, steps=400, device=CPU)
    weight = torch.tensor(1e-9)
    for step in range(400):
        # a plant whose bits fall with the logarithm of the weight, as rate-distortion theory has it
        bits = torch.clamp(-500 * torch.log(weight / 1e-2 + 1e-9), 1, 1e5)
        control.proceed(step / 400)
        weight = control.weight(torch.tensor(0.1), bits)
    assert float(bits) == pytest.approx(4000, rel=0.02)


def test_the_weight_begins_at_0_and_is_in_proportion_to_the_distortion():
    def after(distortion, progress):
        control = RateControl([100], 10, 50, CPU)
        control.proceed(progress)
        return float(control.weight(torch.tensor(distortion), torch.tensor(100.0)))

    assert after(1.0, 0.0) == 0
    assert after(1.0, RAMP / 2) == pytest.approx(after(1.0, RAMP) / 2)
    assert after(3.0, 0.5) == pytest.approx(3 * after(1.0, 0.5))


def test_nothing_runs_away_however_far_bits_are_from_the_target():
    for bits in (0.0, 1e30):
        control = RateControl([0], parameters=1, steps=10, device=CPU)
        control.proceed(START + 0.1)
        weights = [control.weight(torch.tensor(1.0), torch.tensor(bits)) for _ in range(1000)]
        assert all(0 < float(weight) < math.exp(13) for weight in weights)


def test_each_chunk_of_a_batch_is_steered_for_itself():
    def weights(targets, bits, aimed):
        control = RateControl(targets, 10, 50, CPU)
        for progress in (0.2, 0.4):
            control.proceed(progress)
            last = control.weight(torch.ones(len(targets)), torch.tensor(bits))
            for number, target in enumerate(aimed):
                control.aim(number, target)
        return last.tolist()

    batch = weights([100, 500], [200.0, 300.0], [90, 700])
    assert batch == [*weights([100], [200.0], [90]), *weights([500], [300.0], [700])]
    assert batch[0] > batch[1]
