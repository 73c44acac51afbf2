"""Damaged streams by plain mutation: ``python -m tests.fuzz.long_run 100000 [seed]`` prints counts, times, memory."""

import sys
from collections import Counter

import numpy as np

from tests.fuzz.attempts import attempt, memory
from tests.fuzz.corpus import streams
from tests.fuzz.mutations import flipped, mutated, truncated

SECONDS, BYTES = 2.0, 200 * 2**20
"""What no stream may take that claims at most a chunk of 64^3."""


def run(kind: str, number: int, seed: int) -> bool:
    """Print a line of the table; whether it is within the limits."""
    rng, corpus = np.random.default_rng(seed), list(dict(streams()).values())
    for stream in corpus:
        for decoder in ("numba", "numpy"):
            attempt(stream, decoder)
    answers: Counter[str] = Counter()
    worst, slowest, before = dict.fromkeys(("numba", "numpy"), 0.0), b"", memory()
    for _ in range(number):
        one, other = (corpus[rng.integers(len(corpus))] for _ in range(2))
        stream = {"truncated": truncated, "flipped": flipped}.get(kind, lambda r, s: mutated(r, s, other))(rng, one)  # noqa: B023
        outcomes = {decoder: attempt(stream, decoder) for decoder in worst}
        if outcomes["numba"].answer != outcomes["numpy"].answer:
            print("THE DECODERS DISAGREE", stream.hex(), [str(o.answer)[:60] for o in outcomes.values()], flush=True)
            answers["disagreement"] += 1
        for decoder, outcome in outcomes.items():
            if outcome.seconds > worst[decoder]:
                worst[decoder], slowest = outcome.seconds, stream
        answer = outcomes["numba"].answer
        answers["decoded" if isinstance(answer, bytes) else answer] += 1
    taken = memory() - before
    times = ", ".join(f"{decoder} {seconds:.2f} s" for decoder, seconds in worst.items())
    print(f"{kind}: {number} streams, {dict(answers)}; at worst {times}, {taken / 2**20:.0f} MB", flush=True)
    if max(worst.values()) > SECONDS:
        print("slowest:", slowest.hex(), flush=True)
    return max(worst.values()) <= SECONDS and taken <= BYTES and not answers["disagreement"]


if __name__ == "__main__":
    wanted, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    within = [run(kind, wanted, first) for kind in ("truncated", "flipped", "mutated")]
    sys.exit(not all(within))
