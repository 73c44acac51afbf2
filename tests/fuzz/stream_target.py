"""Streams by atheris: ``python -m tests.fuzz.stream_target CORPUS -max_len=4096 -max_total_time=3600``.

atheris is none of the suite's dependencies: ``pip install atheris``. The corpus is a folder that
``python -m tests.fuzz.corpus CORPUS`` fills. Half of the inputs get a right checksum, so that what lies behind it is
reached; the reference decoder's Python is instrumented, and the compiled one must agree with it.
"""

import sys

import atheris

with atheris.instrument_imports(include=["tinc_codec"]):
    from tests.fuzz.attempts import attempt
    from tests.fuzz.corpus import streams
    from tests.fuzz.mutations import sealed

SECONDS = 2.0


def one_input(data: bytes) -> None:
    """Decode as the bytes are, and behind a right checksum."""
    for stream in (data, sealed(data[:-4])):
        outcomes = [attempt(stream, decoder) for decoder in ("numpy", "numba")]
        if outcomes[0].answer != outcomes[1].answer:
            raise AssertionError(f"the decoders disagree: {[str(outcome.answer)[:80] for outcome in outcomes]}")
        if max(outcome.seconds for outcome in outcomes) > SECONDS:
            raise AssertionError(f"{max(outcome.seconds for outcome in outcomes):.1f} s")


if __name__ == "__main__":
    for _, stream in streams():  # what is compiled is compiled before: it is no stream's fault
        for decoder in ("numba", "numpy"):
            attempt(stream, decoder)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
