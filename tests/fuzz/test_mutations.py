"""Damaged streams by plain mutation, a few minutes of it, with a fixed seed; ``long_run.py`` is the same for longer."""

import numpy as np
import pytest

from tests.fuzz.attempts import attempt, memory
from tests.fuzz.corpus import streams
from tests.fuzz.mutations import flipped, mutated, truncated
from tinc_codec import decode

pytest.importorskip("numba")
CORPUS = dict(streams())
PARTS = 8
MOST_MEMORY = 200 * 2**20


def draw(rng):
    return CORPUS[str(rng.choice(list(CORPUS)))]


@pytest.mark.parametrize("name", CORPUS)
def test_both_decoders_agree_on_the_corpus(name):
    answers = [attempt(CORPUS[name], decoder).answer for decoder in ("numba", "numpy")]
    assert answers[0] == answers[1] == decode(CORPUS[name]).tobytes()


@pytest.mark.parametrize("damage", [truncated, flipped])
def test_damage_is_refused(damage):
    rng = np.random.default_rng(1)
    for _ in range(1500):
        stream = draw(rng)
        damaged = damage(rng, stream)
        if damaged != stream:
            # of a flipped version a reader says that it is newer, which is a kind of it
            assert attempt(damaged, "numba").answer in ("CorruptStreamError", "NewerVersionError")


@pytest.mark.parametrize("part", range(PARTS))
def test_mutations_with_a_right_checksum_decode_alike_or_are_refused_alike(part):
    for stream in CORPUS.values():
        attempt(stream, "numba")  # what is compiled and loaded is no stream's fault
    rng, before = np.random.default_rng(100 + part), memory()
    for _ in range(3200 // PARTS):
        stream = mutated(rng, draw(rng), draw(rng))
        one, other = attempt(stream, "numba"), attempt(stream, "numpy")
        assert one.answer == other.answer, stream.hex()
    assert memory() - before < MOST_MEMORY
