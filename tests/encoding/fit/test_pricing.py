"""What windows cost, compiled, is what it is band by band, and so is the gradient."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tinc_codec import set_process  # noqa: E402
from tinc_codec.backends.numba import training  # noqa: E402
from tinc_codec.detail.estimate import ROUNDING  # noqa: E402
from tinc_codec.detail.plan import Group, Plan  # noqa: E402
from tinc_codec.encoding.fit.execution import pricing  # noqa: E402
from tinc_codec.encoding.fit.packet import Packet, of_window  # noqa: E402
from tinc_codec.encoding.fit.pricing import BandByBand, Compiled  # noqa: E402

CPU = torch.device("cpu")

GROUPS = {
    "each alone": ((0,), (1,), (2,), (3,)),
    "first, then planes": ((0,), (1,), (2, 3)),
    "three": ((0,), (1, 2, 3)),
    "four": ((0, 1, 2, 3),),
}


def packet(shape, how, seed):
    """A packet of windows of a volume that is split as often as it can be, with steps of its own for each band."""
    plan = of_window(Plan(shape, tuple(Group(axes, 3) for axes in GROUPS[how]), 16), shape)
    steps = np.random.default_rng(seed).uniform(0.3, 3, len(plan.bands))
    return Packet(plan, tuple(steps.tolist()))


def rows(given, chunks):
    """Steps of several chunks."""
    return np.array([given.inverses] * chunks, np.float32) * np.linspace(1, 2, chunks, dtype=np.float32)[:, None]


def priced(pricing, windows, most):
    """Bits, and the gradient of their sum where each chunk counts differently."""
    windows = windows.clone().requires_grad_()
    bits = pricing(windows, most)
    (bits * torch.arange(1.0, 1 + len(bits))).sum().backward()
    return bits.detach().numpy(), windows.grad.numpy()


def far_from_borders(packet, windows, inverses):
    """Whether what is rounded or compared comes out the same, however the last bit of a coefficient is."""
    for band, inverse in zip(packet.bands(windows), inverses, strict=True):
        sizes = (band * float(inverse)).abs().double()
        if float(((sizes + ROUNDING + 0.5) % 1 - 0.5).abs().min()) < 1e-5:
            return False
    return True


@settings(max_examples=30)
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 4),
    how=st.sampled_from(sorted(GROUPS)),
    chunks=st.integers(1, 2),
    leaves=st.integers(1, 3),
    most=st.sampled_from([15.0, math.inf]),
    size=st.sampled_from([0.02, 0.5, 8.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_twin_gives_the_same_bits_and_gradients(shape, how, chunks, leaves, most, size, seed):
    one, given_rows = packet(shape, how, seed), rows(packet(shape, how, seed), chunks)
    values = np.random.default_rng(seed).laplace(0, size, (chunks, leaves, *shape))
    windows = torch.as_tensor(values, dtype=torch.float32)
    assume(all(far_from_borders(one, windows, row) for row in given_rows))
    bits, gradient = priced(BandByBand(one, given_rows, CPU), windows, most)
    compiled_bits, compiled_gradient = priced(Compiled(training, one.plan, given_rows), windows, most)
    assert compiled_bits == pytest.approx(bits, rel=1e-4, abs=1e-3)
    assert compiled_gradient == pytest.approx(gradient, abs=1e-3 * float(np.abs(gradient).max()))


def test_samples_are_left_as_they_are():
    one = packet((1, 8, 8, 8), "three", 0)
    windows = torch.ones(1, 1, 1, 8, 8, 8)
    Compiled(training, one.plan, rows(one, 1))(windows)
    assert (windows == 1).all()


@pytest.mark.parametrize(("decoder", "kind"), [("numba", Compiled), ("numpy", BandByBand)])
def test_it_is_compiled_where_decoders_are(decoder, kind):
    one = packet((1, 8, 8, 8), "three", 0)
    set_process(decoder=decoder)
    assert isinstance(pricing(one, rows(one, 1), CPU), kind)


def test_a_device_that_is_no_cpu_prices_band_by_band():
    one = packet((1, 8, 8, 8), "three", 0)
    assert isinstance(pricing(one, rows(one, 1), torch.device("meta")), BandByBand)
