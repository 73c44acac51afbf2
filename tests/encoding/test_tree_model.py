"""A chunk's tree: within its room, or the smallest that was tried."""

import sys

import numpy as np
import pytest

from tinc_codec import Config, MissingDependencyError, encoding
from tinc_codec.encoding import tree_model
from tinc_codec.encoding.prepared import prepare
from tinc_codec.encoding.tree_model import Modelling
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.stream import model_section
from tinc_codec.stream.container import Container, Header, ModelKind

pytest.importorskip("torch")


CONFIG = Config(ratio=8, effort=1, levels=2)
VOLUME = np.rint(100 * np.sin(np.indices((16, 16, 16)).sum(0) / 4) + 500).astype("u2")


pytestmark = pytest.mark.usefixtures("few_steps")


def modelled(volume, room, config=CONFIG):
    chunk = prepare(volume, config)
    return Modelling(chunk, room, config, TrainingProgress(volume.nbytes)).run()


def model_of(volume, result):
    header = Header(volume.shape, volume.dtype, "C", ModelKind.SINE_TREE, False)
    return model_section.unpack(Container(header, result.sections), volume.shape)


def test_the_sections_are_a_model_of_the_chunk():
    result = modelled(VOLUME, 600)
    assert result.size <= 600
    model = model_of(VOLUME, result)
    model.check()
    assert (model.low, model.high) == (VOLUME.min(), VOLUME.max())
    assert abs(int(model.offset) - VOLUME.mean()) < 1


def test_constant_blocks_have_their_value_and_no_network():
    volume = VOLUME.copy()
    volume[:, :8] = 7
    model = model_of(volume, modelled(volume, 600))
    assert len(model.tree.leaves) < np.prod(model.tree.partition.leaf_grid)
    assert set(model.constants.tolist()) == {7}
    flat = np.full((16, 16, 16), 3.5, "f4")
    assert model_of(flat, modelled(flat, 600)).tree.parameters == 0


def test_a_model_above_its_room_is_tried_smaller_a_few_times(monkeypatch):
    parameters = []
    real = tree_model.allocate

    def allocate(volume, count, config):
        parameters.append(count)
        return real(volume, count, config)

    monkeypatch.setattr(tree_model, "allocate", allocate)
    monkeypatch.setattr(tree_model, "size_of", lambda sections: 10**6)
    assert modelled(VOLUME, 600).size == 10**6
    assert parameters == sorted(parameters, reverse=True)
    assert 1 < len(set(parameters)) == len(parameters) <= 3
    monkeypatch.setattr(tree_model, "allocate", lambda *_: None)
    assert modelled(VOLUME, 600) is None


def test_without_torch_what_is_missing_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("tinc_codec.encoding.fit")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(encoding, "fit", encoding.fit)  # which another import replaces, is what it was afterwards
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"networks need torch: pip install 'tinc-codec\[torch\]'"):
        modelled(VOLUME, 600)
