"""Compile the kernels for a GPU that need not be there, and print as JSON what they take of it.

    compiled.py CAPABILITY [LAYERS TILE COLUMNS WIDTH]

With only the first those of passes over coefficients, else those of networks.

Apart from the tests' process, in which Triton's interpreter runs them.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from tinc_codec.backends.triton import integers, passes, sine

TENSORS = {"x": "*fp32", "theta": "*fp32", "y": "*fp32", "dy": "*fp32", "dx": "*fp32", "gradient": "*fp32"}
TABLES = {"scales": "*fp32", "table": "*fp32", "offsets": "*i64", "parents": "*i32"}

MAPS = {f"{name}{number}": "*i32" for name in ("lattices", "near", "far") for number in range(3)}
ARRAYS = {"magnitudes": "*u8", "counts": "*u8", "numbers": "*i64", "symbols": "*i64"} | MAPS
ARRAYS |= dict.fromkeys(("near", "far", "factors", "sums", "given", "out", "targets"), "*i32")
ARRAYS |= dict.fromkeys(("values", "bits", "costs", "settings", "scales", "rows"), "*fp64")
"""Of kernels of passes."""


def compiled(kernel, capability, constants, fusion=True, pointers=None):
    """Registers, bytes on the stack, and shared bytes of a kernel."""
    pointers = pointers or TENSORS | TABLES
    types = {name: "constexpr" if name in constants else pointers.get(name, "i32") for name in kernel.arg_names}
    places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    source = ASTSource(kernel, types, constexprs=places)
    options = {"num_warps": 4, "num_stages": 1, "enable_fp_fusion": fusion}
    binary = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.cubin"
        file.write_bytes(binary.asm["cubin"])
        tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
        said = subprocess.run([tool, "--dump-resource-usage", file], capture_output=True, text=True, check=True).stdout
    registers, stack = (int(re.search(rf"{word}:(\d+)", said).group(1)) for word in ("REG", "STACK"))
    return {"registers": registers, "stack": stack, "shared": binary.metadata.shared}


def of_passes(capability):
    """Quantising, what is known, and wide sums."""
    kernels = {
        "quantise": (passes.quantise, {}),
        "means": (passes.means, {}),
        "enter": (passes.enter, {}),
        "near": (passes.wide, {"BORDERED": True}),
        "far": (passes.wide, {"BORDERED": False}),
    }
    fixed = {"BLOCK": passes.BLOCK}
    found = {
        name: compiled(kernel, capability, fixed | more, fusion=False, pointers=ARRAYS)
        for name, (kernel, more) in kernels.items()
    }
    print(json.dumps(found))


def main(capability, layers, tile, columns, width):
    """Forwards, backwards and decoding of a leaf's chain, and of one that is not the last."""
    shape = {"TILE": tile, "WIDE": columns, "BLOCK": width}
    found = {}
    for linear in (True, False):
        fixed = shape | {"LAYERS": layers, "LINEAR": linear}
        name = "leaf" if linear else "inner"
        found[f"forward, {name}"] = compiled(sine.forward, capability, fixed | {"PRODUCT": sine.PRECISION})
        given = fixed | {"PRODUCT": sine.PRECISION, "INPUTS": linear}
        found[f"backward, {name}"] = compiled(sine.backward, capability, given)
        given = fixed | {"PRODUCT": integers.PRECISION}
        found[f"decode, {name}"] = compiled(integers.decode, capability, given, fusion=False)
    print(json.dumps(found))


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    of_passes(*numbers) if len(numbers) == 1 else main(*numbers)
