"""The sine is the table's, and bytes do not depend on the processor's instructions."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

from tinc_codec.tree.inference import TURN, sine_table

pytest.importorskip("numba")

from tinc_codec.backends.numba.microkernel import SINE

F = np.float32


def test_the_polynomial_rounds_to_every_entry_of_the_table_fused_or_not():
    k = np.arange(TURN)
    v = (TURN // 4 - np.abs(((k + TURN // 4) & (TURN - 1)) - TURN // 2)).astype(F)
    square = v * v
    for fused in itertools.product([False, True], repeat=len(SINE) - 1):
        value = np.full(TURN, F(SINE[-1]))
        for coefficient, one_rounding in zip(SINE[-2::-1], fused, strict=True):
            if one_rounding:  # a product of two float32 is exact in float64
                value = (square.astype(float) * value + float(F(coefficient))).astype(F)
            else:
                value = square * value + F(coefficient)
        assert (np.rint(v * value) == sine_table()).all(), fused


SCRIPT = """
import hashlib, sys
import numpy as np
from tests.models import random_model, random_residual, random_stream
from tinc_codec import decode, set_process
from tinc_codec.backends import reference
from tinc_codec.backends.numba import backend, inference, microkernel
from tinc_codec.tree.node_layout import lay_out

rng = np.random.default_rng(11)
shape, kinds = (17, 40, 9), (("u2", 9), ("f4", 70), ("i8", 3))


def networks(work):
    models = [random_model(np.random.default_rng(3), shape, dtype, widest=widest) for dtype, widest in kinds]
    return [work.at_product(lay_out(model), [np.arange(n) for n in shape]) for model in models]


def decoded(decoder):
    set_process(decoder=decoder)
    return [decode(stream) for stream in streams]


if sys.argv[1] == "all":
    set_process(decoder="numpy")  # what encodes need not be compiled
    streams = [random_stream(rng, shape, dtype, widest=widest) for dtype, widest in kinds]
    streams.append(random_residual(rng, (20, 33), "u1", "C", 3, model=True, exact=True)[0])
    answers = [decoded(decoder) for decoder in ("numpy", "numba")]
else:
    answers = [networks(work) for work in (reference, backend)]
for samples in answers:
    print(hashlib.sha256(b"".join(array.tobytes() for array in samples)).hexdigest())
used = "".join(code for code in microkernel.sines.inspect_asm().values())
print("pmaddwd" in used.lower())
"""


@pytest.mark.parametrize(
    ("features", "pairs", "what"),
    # all of the decoder with what every processor has; sums of pairs have their own instruction, and nothing else has
    [("", False, "all"), ("+avx,+avx2,+fma,+sse4.2", True, "networks")],
)
def test_the_bytes_do_not_depend_on_the_instructions(tmp_path, features, pairs, what):
    if pairs and "avx2" not in _flags():
        pytest.skip("this processor has no AVX2")
    environment = os.environ | {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", SCRIPT, what]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    reference, compiled, used = ended.stdout.split()
    assert compiled == reference
    assert (used == "True") == pairs


def _flags():
    from llvmlite import binding

    return {name for name, there in binding.get_host_cpu_features().items() if there}
