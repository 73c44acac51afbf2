import os

import numpy as np
import pytest

from tests.bench.test_peers import Steps
from tinc_codec.bench.comparison import LOSSLESS, Goal, LeftOut, Trial, compare, middle_plane
from tinc_codec.bench.fidelity import Reference
from tinc_codec.bench.peers import SPERR, SZ3, Encoded
from tinc_codec.errors import MissingDependencyError
from tinc_codec.phantom import light_sheet


@pytest.fixture(scope="module")
def reference():
    return Reference.of(light_sheet((16, 40, 48)), 10.0)


class Faulty(Steps):
    """A peer whose library is not there, or that raises."""

    def encode(self, volume, level):
        if self.name == "missing":
            raise MissingDependencyError("it needs nothing")
        raise ArithmeticError("odd data")


class Crashing(Steps):
    """A peer whose library takes its process along."""

    def encode(self, volume, level):
        os.abort()


class Huge(Steps):
    """A peer that never reaches a ratio."""

    def encode(self, volume, level):
        return Encoded(volume.nbytes, None)


def test_everybody_is_within_the_same_bytes(reference):
    goals = [Goal.of("ratio", 8), Goal.of("max_error", 60)]
    results = list(compare(reference, goals, (1, 2), (SPERR, SZ3)))
    assert all(isinstance(result, Trial) for result in results)
    codecs = ["tinc, effort 1", "tinc, effort 2", "SPERR", "SZ3"]
    assert [result.codec for result in results] == [*codecs, *codecs, "Blosc"]
    first, second = results[:4], results[4:8]
    assert all(trial.ratio >= 8 for trial in first)
    assert all(trial.stored_bytes <= second[1].stored_bytes for trial in second[2:])
    assert second[0].fidelity.max_error <= 60
    assert results[-1].goal == LOSSLESS
    assert results[-1].fidelity.max_error == 0
    assert [trial.ours for trial in results] == [True, True, False, False] * 2 + [False]
    for trial in results:
        assert trial.plane.shape == (40, 48)
        assert trial.encode_seconds > 0
        assert trial.as_json()["ratio"] == pytest.approx(trial.raw_bytes / trial.stored_bytes)


def test_peers_that_cannot_are_left_out_with_the_reason(reference):
    goals = [Goal.of("ratio", 8), Goal.of("ratio", 9)]
    results = list(compare(reference, goals, (1,), (Faulty("missing"), Faulty("odd"), Crashing("crash"), Huge("huge"))))
    left = [result for result in results if isinstance(result, LeftOut)]
    where = [("missing", ""), ("odd", ""), ("crash", ""), ("huge", "ratio 8"), ("huge", "ratio 9")]
    assert [(one.codec, one.goal) for one in left] == where
    assert left[0].reason == "it needs nothing"
    assert left[1].reason == "ArithmeticError: odd data"
    assert left[2].reason == "its library crashed over these data"
    assert left[3].reason == "its coarsest takes 61,440 bytes, above 7,680"
    assert sum(isinstance(result, Trial) for result in results) == 3


@pytest.mark.parametrize(("shape", "plane"), [((5, 3, 4), (3, 4)), ((3, 4), (3, 4)), ((7,), (1, 7))])
def test_the_middle_plane(shape, plane):
    volume = np.arange(np.prod(shape)).reshape(shape)
    assert middle_plane(volume).shape == plane
    if len(shape) == 3:
        assert (middle_plane(volume) == volume[2]).all()
