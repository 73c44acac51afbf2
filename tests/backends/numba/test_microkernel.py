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
import hashlib, numpy as np
from tests.models import random_model, random_residual, random_stream
from tinc_codec import decode, set_process
from tinc_codec.backends.numba import inference, microkernel
rng = np.random.default_rng(11)
made = [random_stream(rng, (17, 40, 9), dtype, widest=w) for dtype, w in (("u2", 9), ("f4", 70), ("i8", 3))]
made.append(random_residual(rng, (20, 33), "u1", "C", 3, model=True, exact=True)[0])
for decoder in ("numpy", "numba"):
    set_process(decoder=decoder)
    print(hashlib.sha256(b"".join(decode(stream).tobytes() for stream in made)).hexdigest())
compiled = (microkernel.sines, inference._descend)
used = "".join(code for part in compiled for code in part.inspect_asm().values())
print("pmaddwd" in used.lower())
"""


@pytest.mark.parametrize(("features", "pairs"), [("", False), ("+avx,+avx2,+fma,+sse4.2", True)])
def test_the_bytes_do_not_depend_on_the_instructions(tmp_path, features, pairs):
    if pairs and "avx2" not in _flags():
        pytest.skip("this processor has no AVX2")
    environment = os.environ | {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    ended = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    reference, compiled, used = ended.stdout.split()
    assert compiled == reference
    assert (used == "True") == pairs


def _flags():
    from llvmlite import binding

    return {name for name, there in binding.get_host_cpu_features().items() if there}
