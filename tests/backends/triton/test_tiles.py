import numpy as np
import pytest

pytest.importorskip("torch")

from tinc_codec.backends.triton.limits import WIDEST
from tinc_codec.backends.triton.tiles import block, constants
from tinc_codec.tree.chains import chains
from tinc_codec.tree.partition import partition
from tinc_codec.tree.structure import Level, Tree


@pytest.mark.parametrize(("width", "padded"), [(1, 16), (16, 16), (17, 32), (32, 32)])
def test_widths_are_padded_to_what_tensor_cores_take(width, padded):
    assert block(width) == padded


@pytest.mark.parametrize("width", range(1, WIDEST + 1))
def test_every_width_that_kernels_hold_has_a_tile(width):
    tree = Tree(partition((8, 8, 8), 1), (Level(3, (width,), np.ones(1, np.uint8)),))
    found = constants(chains(tree).chains[0], "ieee")
    assert found["BLOCK"] >= width
    assert found["TILE"] * found["BLOCK"] <= 2**10
    assert (found["LAYERS"], found["LINEAR"], found["PRODUCT"]) == (3, True, "ieee")
