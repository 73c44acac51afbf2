"""Attributes that are computed at their first use, without a lock.

`functools.cached_property` of Python 3.11 holds one lock for all instances of a class while it computes: a process that
forks meanwhile leaves it taken in the child for ever. Here two threads may compute the same value, and one of them is
kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  # read as a decorator, as `property` is
    """A property that is computed once for each instance, and then an attribute of it."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | Self:
        if instance is None:
            return self
        # an attribute of the instance comes before this, as it has no `__set__`; of two threads the first one's stays
        return vars(instance).setdefault(self._name, self._compute(instance))  # type: ignore[no-any-return]
