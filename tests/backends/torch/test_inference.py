"""The decoder in torch gives the reference's bytes, whatever its process has set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import DTYPES, SHAPES, decoded, random_model
from tinc_codec.errors import ConfigurationError

torch = pytest.importorskip("torch")

from tinc_codec.backends.torch import inference  # noqa: E402

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES), dtype=st.sampled_from(DTYPES))
def test_torch_gives_the_same_bytes(seed, shape, dtype):
    model = random_model(np.random.default_rng(seed), shape, dtype)
    expected = decoded(model)
    for device in DEVICES:
        assert inference.decode(model, device).tobytes() == expected.tobytes()


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_torch_gives_the_same_bytes_under_any_precision_setting(precision):
    model = random_model(np.random.default_rng(3), (30, 31), "f4", widest=40)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert inference.decode(model, "cpu").tobytes() == decoded(model).tobytes()
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_large_anisotropic_chunk():
    model = random_model(np.random.default_rng(1), (24, 1116, 627), "u1", levels=6, widest=2, classes=1, empty=0.02)
    whole = decoded(model)
    assert whole.shape == (24, 1116, 627)
    assert whole.std() > 0
    assert inference.decode(model, "cpu").tobytes() == whole.tobytes()


def test_an_unknown_device_is_explained():
    model = random_model(np.random.default_rng(0), (8, 8), "u2")
    with pytest.raises(ConfigurationError, match="'cuda:99'"):
        inference.decode(model, "cuda:99")


def test_a_kernel_counts_once_it_has_given_what_the_reference_does(monkeypatch):
    monkeypatch.setattr(inference, "_proofs", {})
    calls = []

    def reference(x):
        calls.append("reference")
        return 2 * x

    evaluate = inference._proved(lambda x: x + x, reference, "doubling")
    assert all(torch.equal(evaluate(torch.arange(3)), torch.tensor([0, 2, 4])) for _ in range(3))
    assert calls == ["reference"]


def test_a_kernel_that_is_off_is_said_to_be_and_never_asked_again(monkeypatch, caplog):
    monkeypatch.setattr(inference, "_proofs", {})
    calls = []

    def fused(x):
        calls.append("fused")
        return 2 * x + (x == 2)

    for _ in range(3):
        evaluate = inference._proved(fused, lambda x: 2 * x, "doubling")
        assert torch.equal(evaluate(torch.arange(3)), torch.tensor([0, 2, 4]))
    assert calls == ["fused"]
    assert "does not decode doubling to the bit" in caplog.text
