"""Kernels, through Triton's interpreter, do with a band's tiles what tensor operations do."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from tests.detail.cases import random_model  # noqa: E402
from tinc_codec.backends.torch.detail.contexts import Map, Tiles, frame  # noqa: E402
from tinc_codec.backends.torch.detail.quantising import Quantising  # noqa: E402
from tinc_codec.backends.torch.detail.ways import Kernels, Operations  # noqa: E402
from tinc_codec.detail.contexts import MAGNITUDES  # noqa: E402
from tinc_codec.detail.plan import Group, Plan  # noqa: E402
from tinc_codec.detail.quantiser import Quantiser, costs_of  # noqa: E402

CPU = torch.device("cpu")
MODEL, _ = random_model(Plan((1, 4, 4, 4), (Group((0,), 0), Group((1, 2, 3), 1)), 8), 3)
COUNTS = torch.from_numpy(MAGNITUDES)


def tiles(shape, frames, many, way, seed):
    """Tiles with maps of random magnitudes."""
    rng, there, maps = np.random.default_rng(seed), frame(shape, CPU), []
    for count in many:
        lattices = rng.choice(MAGNITUDES, (2, 2, 2, frames, *(n + 2 for n in there.cells))).astype(np.int32)
        maps.append(Map.of(there, torch.from_numpy(lattices), way.wide) if count else None)
    return Tiles(there, frames, maps, many, MODEL, 0)


@pytest.mark.parametrize(
    ("shape", "frames", "many", "shift"),
    [((2, 3, 3), 1, (1, 2, 0), 0), ((1, 1, 7), 3, (0, 0, 0), 2), ((1, 3, 4), 2, (0, 1, 3), 0)],
)
def test_kernels_quantise_and_weigh_as_tensor_operations_do(shape, frames, many, shift):
    rng, found = np.random.default_rng(sum(shape)), []
    spread = rng.choice([0.3, 2.0, 40.0], (frames, *shape))
    coefficients = torch.from_numpy((rng.standard_t(2, spread.shape) * spread * 2**shift).astype(np.float32))
    for way in (Operations(), Kernels()):
        whole = Quantising(Quantiser(coefficients, np.array([1.1]), costs_of(MODEL.tables)), 1, CPU)
        band = whole.band(0, shift, coefficients)
        magnitudes = way.quantise(tiles(shape, frames, many, way, 7), band, COUNTS)
        band.count(1.0)
        weighed = 1 in shape  # the interpreter takes seconds for all eight passes
        means = list(way.means(tiles(shape, frames, many, way, 7), magnitudes)) if weighed else []
        found.append((magnitudes, band.numbers, whole.tally(), means))
    (magnitudes, numbers, tally, means), (others, theirs, other, rows) = found
    assert magnitudes.any()
    assert torch.equal(magnitudes, others)
    assert torch.equal(numbers, theirs)
    assert np.array_equal(tally.histogram, other.histogram)
    assert np.allclose(tally.sums, other.sums)
    assert [each[:2] for each in means] == [each[:2] for each in rows]
    for each, row in zip(means, rows, strict=True):
        torch.testing.assert_close(each[2], row[2], rtol=1e-12, atol=0)
