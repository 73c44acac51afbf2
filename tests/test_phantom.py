import numpy as np

from tinc_codec.phantom import CAMERA_OFFSET, light_sheet


def test_a_seed_gives_the_same_stack_and_another_another():
    one, again, other = light_sheet((8, 24, 32), 3), light_sheet((8, 24, 32), 3), light_sheet((8, 24, 32), 4)
    assert (one.shape, one.dtype) == ((8, 24, 32), np.uint16)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_it_has_an_offset_noise_and_nuclei():
    stack = light_sheet((16, 48, 64), 0)
    assert abs(float(np.median(stack[:, :3, :3])) - CAMERA_OFFSET) < 30
    assert stack.max() > 5 * CAMERA_OFFSET
    assert stack.std() > 20


def test_the_phantom_is_seeded_and_plausible():
    first, again, other = light_sheet((20, 30, 40)), light_sheet((20, 30, 40)), light_sheet((20, 30, 40), seed=1)
    assert (first == again).all()
    assert (first != other).any()
    assert first.dtype == np.uint16
    assert 90 < np.median(first) < 1000
    assert first.max() > 300
