"""Training for whoever asks, from any thread: on a GPU together with others whose problems are alike."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tinc_codec.encoding.fit import device, trainer, training, under_coefficients
from tinc_codec.encoding.fit.execution import threads
from tinc_codec.encoding.fit.meeting import Meeting
from tinc_codec.encoding.fit.members import Member
from tinc_codec.runtime import shortage
from tinc_codec.runtime.settings import process
from tinc_codec.tree.structure import Tree

log = logging.getLogger("tinc_codec")

LINGER = 0.02
"""Seconds that a batch waits for further chunks once it has the device: chunks of one array come side by side."""

Check = Callable[[], None]
"""Called now and then while others train; what it raises ends the waiting."""


@dataclass(frozen=True)
class _Course:
    """What is done for a batch.

    Parameters
    ----------
    kind
        What its members have in common.
    voxels
        Of one step of one member.
    tree
        Of every member.
    train
        Gives an outcome for each member, on a device.
    """

    kind: Hashable
    voxels: int
    tree: Tree
    train: Callable[[Sequence[Member[Any]], torch.device], Sequence[Any]]


class _Gpu:
    """The batches of this process's GPUs, and how large they may be."""

    def __init__(self) -> None:
        self._meeting: Meeting[Member[Any], Any] = Meeting(LINGER)
        self._limits: dict[Hashable, int] = {}

    def reset(self) -> None:
        """Forget who was there: after a fork those threads do not exist."""
        self._meeting.reset()

    def fit(self, member: Member[Any], course: _Course, place: torch.device, check: Check) -> Any:
        """Train one chunk beside others that are at hand."""
        kind = (course.kind, place)
        most = self._limits.get(kind, max(1, process().batch // course.voxels))
        most = min(most, process().jobs or most)
        room = partial(device.training, course.voxels, check, partial(threads, course.tree))
        return self._meeting.attend(kind, member, most, room, partial(self._trained, kind, course, place), check)

    def _trained(
        self, kind: Hashable, course: _Course, place: torch.device, members: Sequence[Member[Any]]
    ) -> Sequence[Any]:
        """Outcomes of a batch: of smaller ones where the device's memory does not hold it, on the CPU in the end."""
        log.debug("%d chunks are trained together on %s", len(members), place)
        outcomes = _within_memory(course, place, members)
        if outcomes is not None:
            return outcomes
        if len(members) > 1:
            half = self._limits[kind] = len(members) // 2
            shortage.note(shortage.HALVED)
            log.warning("%s has no memory to train %d chunks together: now %d at most", place, len(members), half)
            parts = [members[begin : begin + half] for begin in range(0, len(members), half)]
            return [outcome for part in parts for outcome in self._trained(kind, course, place, part)]
        log.warning("%s has no memory to train a chunk: it is trained on the CPU", place)
        shortage.note(shortage.ON_CPU)
        with device.prepared(torch.device("cpu"), 1):
            return course.train(members, torch.device("cpu"))


def _within_memory(course: _Course, place: torch.device, members: Sequence[Member[Any]]) -> Sequence[Any] | None:
    """Outcomes; None: there is too little memory. What the attempt has taken is free again."""
    try:
        return course.train(members, place)
    except torch.cuda.OutOfMemoryError:
        pass  # what it holds of the attempt goes with it
    torch.cuda.empty_cache()
    return None


_gpu = _Gpu()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_gpu.reset)


def fit(
    problem: under_coefficients.Problem,
    recipe: under_coefficients.Recipe,
    watch: Callable[[float], None],
    check: Check,
) -> under_coefficients.Fit:
    """Train a chunk's networks under coefficients on the device of the process settings, as soon as there is room.

    Parameters
    ----------
    watch
        Called with the fraction done every few steps; what it raises stops the training.
    check
        See `Check`.

    Raises
    ------
    TrainingError
        Training diverged, or its result cannot be stored.
    """

    def train(members: Sequence[Member[Any]], place: torch.device) -> Sequence[Any]:
        return under_coefficients.fit(members, recipe, place)

    course = _Course(("under coefficients", problem.kind, recipe), problem.windows.voxels, problem.tree, train)
    outcome: under_coefficients.Fit = _done(Member(problem, watch), course, check)
    return outcome


def fit_samples(
    problem: trainer.Problem, recipe: trainer.Recipe, watch: Callable[[float], None], check: Check
) -> training.Fit:
    """Train a chunk's networks to fit its samples; as `fit`.

    Raises
    ------
    TrainingError
        Training diverged at every rate that was tried.
    """

    def train(members: Sequence[Member[Any]], place: torch.device) -> Sequence[Any]:
        return training.fit(members, recipe, place)

    course = _Course(("samples", problem.kind, recipe), recipe.points * len(problem.tree.leaves), problem.tree, train)
    outcome: training.Fit = _done(Member(problem, watch), course, check)
    return outcome


def _done(member: Member[Any], course: _Course, check: Check) -> Any:
    place = device.choose()
    if place.type == "cuda":
        return _gpu.fit(member, course, place, check)
    with device.training(course.voxels, check, partial(threads, course.tree)) as place:
        (outcome,) = course.train([member], place)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
