import subprocess
import sys

import numpy as np
import pytest

import tinc_codec
from tinc_codec.errors import UnsupportedDataError
from tinc_codec.noise_level import noise


def structure(shape):
    """Smooth, with a range of some thousands."""
    axes = np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij")
    return 900 * np.sin(2 * axes[0] + axes[-1]) * np.cos(3 * axes[len(axes) // 2]) + 2000


RNG = np.random.default_rng(3)
SHAPE = (40, 48, 56)


@pytest.mark.parametrize("shape", [(20000,), (200, 220), SHAPE, (2, 3, 60, 70), (1, 1, 200, 220), SHAPE[::-1]])
def test_noise_of_a_normal_distribution_is_its_deviation(shape):
    volume = structure(shape) / 100 + RNG.normal(0, 7, shape)
    assert noise(volume) == pytest.approx(7, rel=0.1)


@pytest.mark.parametrize("mean", [0.5, 1, 4, 100])
def test_noise_of_photons_is_the_root_of_their_number(mean):
    assert noise(RNG.poisson(mean, SHAPE).astype("u2")) == pytest.approx(mean**0.5, rel=0.1)


def test_noise_that_grows_with_the_signal_is_that_of_a_typical_place():
    signal = np.geomspace(10, 1000, 60)[:, None, None] * np.ones((1, 60, 60))
    assert noise(RNG.poisson(signal)) == pytest.approx(np.median(signal) ** 0.5, rel=0.15)


@pytest.mark.parametrize("deviation", [0.35, 0.5, 1, 30])
def test_rounding_to_integers_is_a_part_of_it(deviation):
    volume = np.rint(structure(SHAPE) / 10 + RNG.normal(0, deviation, SHAPE)).astype("u2")
    assert noise(volume) == pytest.approx((deviation**2 + 1 / 12) ** 0.5, rel=0.1)


def test_flat_regions_are_left_out():
    volume = RNG.normal(100, 5, SHAPE)
    volume[:30] = 0
    assert noise(volume) == pytest.approx(5, rel=0.1)
    volume[30:] = np.clip(volume[30:], 0, 96)  # saturated: 4 in 5 are at the limit, but hardly a cell of 8
    assert 0 < noise(volume) < 5


@pytest.mark.parametrize("value", [0, 7, 255])
def test_flat_arrays_have_none(value):
    labels = np.full(SHAPE, value, "u1")
    assert noise(labels) == 0
    labels[10:20, 10:30] = 3
    assert noise(labels) == 0


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 2), (5, 1, 3)])
def test_any_shape_has_an_answer(shape):
    assert np.isfinite(noise(RNG.normal(0, 1, shape)))


def test_what_is_no_number_is_left_out():
    volume = RNG.normal(0, 5, SHAPE).astype("f4")
    volume[:8] = np.nan
    volume[20, 20, 20] = np.inf
    assert noise(volume) == pytest.approx(5, rel=0.1)
    assert noise(np.full(SHAPE, np.nan)) == 0


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u2", "u4", "i8", "f2", "f4", "f8"])
def test_every_dtype_and_order(dtype):
    volume = np.rint(RNG.normal(100, 8, SHAPE)).astype(dtype)
    assert noise(volume) == pytest.approx(8, rel=0.1)
    assert noise(np.asfortranarray(volume)) == noise(volume)


def test_of_a_large_array_some_blocks_are_read_and_always_the_same():
    class Lazy:
        shape, dtype, read = (4000, 4000, 4000), np.dtype("u2"), []

        def __getitem__(self, index):
            self.read.append(index)
            sizes = [part.stop - part.start for part in index]
            return np.random.default_rng([part.start for part in index]).normal(100, 9, sizes).astype("u2")

    lazy = Lazy()
    assert noise(lazy) == noise(lazy) == pytest.approx(9, rel=0.03)
    half = len(lazy.read) // 2
    assert half == 2048
    assert lazy.read[:half] == lazy.read[half:]
    for axis in range(3):
        starts = [index[axis].start for index in lazy.read]
        assert min(starts) < 400
        assert max(starts) > 3600


@pytest.mark.parametrize("array", [np.zeros((3, 0)), np.zeros(9, bool), np.zeros(9, complex), np.array(["a"])])
def test_what_has_none_is_refused(array):
    with pytest.raises(UnsupportedDataError, match=r"shape .* dtype .* was given"):
        noise(array)


def test_lists_are_arrays():
    assert noise([[1, 1], [1, 1]]) == 0


@pytest.mark.parametrize(("name", "expected"), [("brain64", 117), ("cells", 10.6), ("plant", 88), ("wmag", 0.6)])
def test_noise_of_real_volumes(real, name, expected):
    assert noise(real(name)) == pytest.approx(expected, rel=0.05)


def test_it_is_there_at_the_root_and_costs_nothing_before_it_is_used():
    code = "import sys, tinc_codec; assert 'tinc_codec.noise_level' not in sys.modules; print(tinc_codec.noise([1, 1]))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "0.0\n"
    assert tinc_codec.noise is noise
