"""Compile the kernels for a GPU that need not be there, and print as JSON what they take of it: compiled.py CAPABILITY.

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

from tinc_codec.backends.triton import integers, sine

TENSORS = {"x": "*fp32", "theta": "*fp32", "y": "*fp32", "dy": "*fp32", "dx": "*fp32", "gradient": "*fp32"}
TABLES = {"scales": "*fp32", "table": "*fp32", "offsets": "*i64", "parents": "*i32"}


def compiled(kernel, capability, constants, fusion=True):
    """Registers, bytes on the stack, and shared bytes of a kernel."""
    types = {
        name: "constexpr" if name in constants else (TENSORS | TABLES).get(name, "i32") for name in kernel.arg_names
    }
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
    main(*map(int, sys.argv[1:]))
