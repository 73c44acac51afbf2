"""Every backend's `detail` has what the protocols name, called as they say."""

import inspect
from types import ModuleType

import pytest

from tests.detail.cases import random_model
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.work import Walker, Work


def methods(protocol):
    """Its methods, those that it has of others too."""
    return {name: method for name, method in inspect.getmembers(protocol, inspect.isfunction) if name[0] != "_"}


def parameters(function):
    names = list(inspect.signature(function).parameters)
    return names[1:] if names[:1] == ["self"] else names


@pytest.mark.parametrize("work", [reference, compiled], ids=["reference", "compiled"])
def test_each_backend_takes_what_the_protocol_says(work):
    assert isinstance(work, ModuleType)
    for name, method in methods(Work).items():
        assert parameters(getattr(work, name)) == parameters(method), name
    plan = Plan((1, 4, 4, 4), (Group((0,), 0), Group((1, 2, 3), 1)), 8)
    walker = work.walker(*random_model(plan, 0))
    for name, method in methods(Walker).items():
        assert parameters(getattr(walker, name)) == parameters(method), name
