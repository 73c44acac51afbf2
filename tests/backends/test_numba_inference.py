"""The compiled decoder: its sine is the table's, and its bytes do not depend on the processor's instructions."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import random_model
from tinc_codec.tree.node_layout import lay_out
from tinc_codec.tree.pieces import product

pytest.importorskip("numba")

from tinc_codec.backends.numba import inference as inference_numba
from tinc_codec.backends.numba.microkernel import SINE
from tinc_codec.tree.inference import TURN, sine_table

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


@given(seed=st.integers(0, 2**32 - 1), worth=st.sampled_from([2**6, 2**10, 2**22]))
def test_parts_are_of_all_that_is_wanted_and_cost_what_their_networks_do(seed, worth):
    rng = np.random.default_rng(seed)
    layout = lay_out(random_model(rng, (40, 37), "u2", widest=9))
    wanted = [np.sort(rng.choice(n, int(rng.integers(1, n)), replace=False)) for n in (40, 37)]
    for batch in product(layout.model.tree.partition, wanted).batches():
        parts, work = inference_numba._parts.py_func(
            batch.sizes, batch.leaves, layout.layers, layout.first, layout.count, layout.below, layout.network, worth
        )
        leaf = point = 0
        for leaves, points in batch.sizes.tolist():
            mine = (parts[:, 0] == leaf) & (parts[:, 2] >= point) & (parts[:, 2] < point + points)
            begins, ends = parts[mine, 2], parts[mine, 3]
            assert (parts[mine, 1] == leaf + leaves).all()
            assert [point, *ends[:-1]] == begins.tolist()
            assert ends[-1] == point + points
            assert ((ends - begins)[:-1] % inference_numba.VECTOR == 0).all()
            cost = 0
            chosen = [n for n in batch.leaves[leaf : leaf + leaves].tolist() if layout.network[n]]
            for first, count, below in zip(layout.first, layout.count, layout.below, strict=True):
                for node in {n // below for n in chosen}:
                    rows = layout.layers[first + node * count : first + (node + 1) * count]
                    cost += int((rows[:, 2] * rows[:, 3]).sum())
            lanes = -(-points // inference_numba.VECTOR) * inference_numba.VECTOR
            assert work[mine].sum() == pytest.approx(cost * lanes)
            leaf, point = leaf + leaves, point + points


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
