"""Tests lie where what they test does: `tinc_codec/jobs/run.py` is tested by `tests/jobs/test_run.py`."""

import ast
from functools import cache
from pathlib import Path

import pytest

import tinc_codec

PACKAGE, TESTS = Path(tinc_codec.__file__).parent, Path(__file__).parent

TWINS = {
    "backends/numba/ans_lanes.py": "stream/test_ans_lanes.py",
    "backends/numba/emitter.py": "backends/numba/test_microkernel.py",
    "backends/numba/entropy.py": "backends/numba/test_residual_tiles.py",
    "backends/numba/fields.py": "stream/test_model_section.py",
    "backends/numba/interlace.py": "backends/numba/test_residual_tiles.py",
    "backends/numba/model_section.py": "stream/test_model_section.py",
    "backends/numba/node_layout.py": "stream/test_model_section.py",
    "backends/numba/passes.py": "backends/numba/test_residual_tiles.py",
    "backends/numba/quantised_weights.py": "encoding/fit/test_quantised.py",
    "backends/numba/residual_classified.py": "residual/test_classified.py",
    "backends/numba/residual_equations.py": "residual/test_equations.py",
    "backends/numba/residual_passes.py": "residual/test_lattices.py",
    "backends/numba/residual_surroundings.py": "residual/test_lattices.py",
    "backends/numba/structure.py": "stream/test_model_section.py",
    "backends/numba/training.py": "backends/test_protocol.py",
    "backends/numba/weights.py": "stream/test_model_section.py",
    "backends/torch/chained.py": "backends/numba/test_sine_chain.py",
    "backends/torch/compiled.py": "backends/numba/test_sine_chain.py",
    "backends/numba/detail/bits.py": "detail/test_walk.py",
    "backends/numba/detail/coding.py": "detail/test_walk.py",
    "backends/numba/detail/contexts.py": "detail/test_walk.py",
    "backends/numba/detail/estimate.py": "detail/test_estimate.py",
    "backends/numba/detail/fill.py": "detail/test_fill.py",
    "backends/numba/detail/joining.py": "detail/test_joining.py",
    "backends/numba/detail/lifting.py": "detail/test_lifting.py",
    "backends/numba/detail/mask.py": "detail/test_mask.py",
    "backends/numba/detail/mask_contexts.py": "detail/test_mask.py",
    "backends/numba/detail/quantising.py": "detail/test_walk.py",
    "backends/numba/detail/rate.py": "encoding/fit/test_pricing.py",
    "backends/numba/detail/samples.py": "detail/test_samples.py",
    "backends/numba/detail/scale.py": "detail/test_joining.py",
    "backends/numba/detail/space.py": "detail/test_walk.py",
    "backends/numba/detail/tiles.py": "detail/test_walk.py",
    "backends/numba/detail/transposed.py": "detail/test_lifting.py",
    "backends/numba/detail/walk.py": "detail/test_walk.py",
    "backends/numba/detail/walker.py": "detail/test_walk.py",
    "backends/numba/detail/work.py": "detail/test_work.py",
}
"""Compiled modules that are tested with others: with the reference that they equal, or with what they are a part of."""

OTHERWISE = {
    "__init__.py": "names of the other modules, see test_imports.py",
    "cli/__main__.py": "one call, run by cli/test_main.py",
    "tree/laplace.py": "two numbers, whose uses encoding/fit/test_quantised.py compares",
}
"""Modules without a test of their own, and why."""

FEATURES = {
    "decoding/test_forks.py",
    "gpu/test_check.py",
    "hosts/test_hosts.py",
    "hosts/test_later_settings.py",
    "hosts/test_partial.py",
    "jobs/test_faults.py",
    "jobs/test_kills.py",
    "jobs/test_stores.py",
    "serve/test_neuroglancer.py",
    "serve/test_page.py",
    "serve/test_zarrita.py",
    "stream/test_format.py",
    "stream/test_trailing.py",
    "test_examples.py",
    "test_golden.py",
    "test_imports.py",
    "test_mirror.py",
    "test_readme.py",
}
"""Tests of what no module does alone."""


@cache
def modules():
    """Modules that do something, by their place in the package: of folders' ``__init__`` those that hold code."""
    files = sorted(PACKAGE.rglob("*.py"))
    doing = [f for f in files if f.name != "__init__.py" or len(ast.parse(f.read_text()).body) > 1]
    return tuple(file.relative_to(PACKAGE).as_posix() for file in doing)


def mirror(module):
    """The test file of a module, ``test_<folder>.py`` for a folder's own code."""
    place = Path(module)
    name = place.parent.name if place.name == "__init__.py" else place.stem
    return (place.parent / f"test_{name}.py").as_posix()


def names_of_tests(file):
    nodes = ast.walk(ast.parse(file.read_text()))
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@pytest.mark.parametrize("module", [module for module in modules() if module not in OTHERWISE])
def test_every_module_has_a_test_file_of_its_own_path(module):
    file = TESTS / TWINS.get(module, mirror(module))
    assert file.is_file(), f"{module} has no test: write tests/{file.relative_to(TESTS).as_posix()}"
    assert names_of_tests(file)


def test_twins_are_tested_with_both_decoders():
    for name in sorted(set(TWINS.values())):
        assert "numba" in (TESTS / name).read_text(), name


def test_every_test_file_has_a_module_or_is_of_a_feature():
    mirrored = {mirror(module) for module in modules()}
    for file in sorted(TESTS.rglob("test_*.py")):
        name = file.relative_to(TESTS).as_posix()
        assert name in mirrored or name in FEATURES or name.startswith("fuzz/"), f"tests/{name} tests no module"


def test_exceptions_are_of_modules_and_files_that_are_there():
    assert {*TWINS, *OTHERWISE} <= set(modules())
    assert all((TESTS / name).is_file() for name in FEATURES)
    assert not [module for module in {*TWINS, *OTHERWISE} if (TESTS / mirror(module)).is_file()]
