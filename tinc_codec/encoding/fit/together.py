"""Training for whoever asks, from any thread: on a GPU together with others whose problems are alike."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Hashable, Sequence
from functools import partial

import torch

from tinc_codec.encoding.fit import device, under_coefficients
from tinc_codec.encoding.fit.meeting import Meeting
from tinc_codec.encoding.fit.under_coefficients import Fit, Member, Outcome, Problem, Recipe
from tinc_codec.runtime import shortage
from tinc_codec.runtime.settings import process

log = logging.getLogger("tinc_codec")

LINGER = 0.02
"""Seconds that a batch waits for further chunks once it has the device: chunks of one array come side by side."""


class _Gpu:
    """The batches of this process's GPUs, and how large they may be."""

    def __init__(self) -> None:
        self._meeting: Meeting[Member, Fit] = Meeting(LINGER)
        self._limits: dict[Hashable, int] = {}

    def reset(self) -> None:
        """Forget who was there: after a fork those threads do not exist."""
        self._meeting.reset()

    def fit(self, member: Member, recipe: Recipe, place: torch.device, check: Callable[[], None]) -> Fit:
        """Train one chunk beside others that are at hand."""
        voxels = member.problem.windows.voxels
        kind = (member.problem.kind, recipe, place)
        most = self._limits.get(kind, max(1, process().batch // voxels))
        most = min(most, process().jobs or most)
        room = partial(device.training, voxels, check)
        return self._meeting.attend(kind, member, most, room, partial(self._trained, kind, recipe, place), check)

    def _trained(self, kind: Hashable, recipe: Recipe, place: torch.device, members: Sequence[Member]) -> list[Outcome]:
        """Outcomes of a batch: of smaller ones where the device's memory does not hold it, on the CPU in the end."""
        log.debug("%d chunks are trained together on %s", len(members), place)
        outcomes = _within_memory(members, recipe, place)
        if outcomes is not None:
            return outcomes
        if len(members) > 1:
            half = self._limits[kind] = len(members) // 2
            shortage.note(shortage.HALVED)
            log.warning("%s has no memory to train %d chunks together: now %d at most", place, len(members), half)
            parts = [members[begin : begin + half] for begin in range(0, len(members), half)]
            return [outcome for part in parts for outcome in self._trained(kind, recipe, place, part)]
        log.warning("%s has no memory to train a chunk: it is trained on the CPU", place)
        shortage.note(shortage.ON_CPU)
        with device.prepared(torch.device("cpu"), 1):
            return under_coefficients.fit(members, recipe, torch.device("cpu"))


def _within_memory(members: Sequence[Member], recipe: Recipe, place: torch.device) -> list[Outcome] | None:
    """Outcomes; None: there is too little memory. What the attempt has taken is free again."""
    try:
        return under_coefficients.fit(members, recipe, place)
    except torch.cuda.OutOfMemoryError:
        pass  # what it holds of the attempt goes with it
    torch.cuda.empty_cache()
    return None


_gpu = _Gpu()
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_gpu.reset)


def fit(problem: Problem, recipe: Recipe, watch: Callable[[float], None], check: Callable[[], None]) -> Fit:
    """Train the networks of a chunk on the device of the process settings, as soon as there is room.

    Parameters
    ----------
    watch
        Called with the fraction done every few steps; what it raises stops the training.
    check
        Called now and then while others train; what it raises ends the waiting.

    Raises
    ------
    TrainingError
        Training diverged, or its result cannot be stored.
    """
    member, place = Member(problem, watch), device.choose()
    if place.type == "cuda":
        return _gpu.fit(member, recipe, place, check)
    with device.training(problem.windows.voxels, check) as place:
        (outcome,) = under_coefficients.fit([member], recipe, place)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
