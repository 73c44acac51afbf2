"""What a CUDA graph would not hold, seen on a CPU: looks from the host, copies from it, tensors that are replaced."""

from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode

FROM_HOST = {"aten::_local_scalar_dense", "aten::lift_fresh", "aten::nonzero", "aten::masked_select", "aten::equal"}


class _Watched(TorchDispatchMode):
    """Raises where the host waits for the device, or gives it numbers."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().partition(".")[0]
        assert name not in FROM_HOST, f"{name} cannot be recorded"
        if name == "aten::index":
            assert not any(each is not None and each.dtype == torch.bool for each in args[1]), "a mask is looked at"
        return func(*args, **(kwargs or {}))


def places(*owners):
    """What the attributes of objects are, and where their tensors lie."""
    found = {}
    for owner in owners:
        for name, value in vars(owner).items():
            kept = value.data_ptr() if isinstance(value, torch.Tensor) else repr(value)
            found[type(owner).__name__, name] = (id(value), kept)
    return found


@contextmanager
def recorded(*owners):
    """Assert that what is done can be recorded, and replayed on the tensors of the owners."""
    before = places(*owners)
    with _Watched():
        yield
    assert places(*owners) == before
