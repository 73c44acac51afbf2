import numpy as np

from tests.bench.test_comparison import Crashing, Faulty, Huge
from tests.bench.test_peers import VOLUME
from tinc_codec.bench.attempts import Isolation, attempt
from tinc_codec.bench.peers import SZ3


def test_an_attempt_is_the_finest_within_a_budget():
    made = attempt(SZ3, VOLUME, 1500, {})
    assert 0 < made.decoded.size <= 1500
    assert made.decoded.samples.shape == VOLUME.shape
    assert made.reason == ""
    again = attempt(SZ3, VOLUME, 1500, made.sizes)
    assert again.sizes == made.sizes  # nothing more had to be tried
    assert (again.decoded.samples == made.decoded.samples).all()


def test_reasons():
    assert attempt(Faulty("missing"), VOLUME, 100, {}).reason == "it needs nothing"
    assert attempt(Faulty("odd"), VOLUME, 100, {}).reason == "ArithmeticError: odd data"
    huge = attempt(Huge("huge"), VOLUME, 100, {})
    assert (huge.decoded, huge.reason, min(huge.sizes.values())) == (None, "", VOLUME.nbytes)


def test_a_crash_ends_its_own_process_and_no_other():
    with Isolation() as isolation:
        assert "crashed" in isolation.attempt(Crashing("crash"), VOLUME, 100, {}).reason
        made = isolation.attempt(SZ3, VOLUME, 1500, {})
    assert np.abs(made.decoded.samples.astype(int) - VOLUME).max() < 90
