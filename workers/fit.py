"""A training whose weights are wanted: under either kind of recipe, with rounds of pruning after it if asked for."""

from __future__ import annotations

import math
import time

from space.notation import read
from workers.course import TrainingError
from workers.job import Failed, Fit, Fitted, Stage
from workers.plain_recipe import PlainRecipe
from workers.plain_training import fit as fit_plainly
from workers.pruning import Masks, global_masks, keep_per_round
from workers.training import Batches, begin
from workers.training import fit as fit_quickly
from workers.weights import pack


def carry_out(task: Fit, data: Batches, deadline: float = math.inf) -> Fitted | Failed:
    """Train a network, then prune it and train it again from its initial weights, round by round.

    `data` hold the task's fold out. `deadline` is by time.monotonic(). Failed if any of the trainings fails.
    """
    begun = time.monotonic()
    network, generator = begin(read(task.line), data, task.seed)
    initial = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rounds = 0 if task.pruning is None else task.pruning.rounds
    masks: Masks = {}
    stages: list[Stage] = []
    for _ in range(1 + rounds):
        if stages:
            assert task.pruning is not None
            masks = global_masks(network, keep_per_round(task.pruning.keep, rounds), masks or None)
            network.load_state_dict(initial)
        try:
            if isinstance(task.recipe, PlainRecipe):
                course = fit_plainly(network, data, task.recipe, generator, deadline=deadline, masks=masks)
            else:
                course = fit_quickly(network, data, task.recipe, generator, deadline=deadline, masks=masks)
        except TrainingError as error:
            return Failed(epochs=task.epochs, reason=str(error))
        weights = pack(network.state_dict())
        stages.append(Stage(weights=weights, epochs=course.epochs, loss=course.losses[-1], accuracy=course.accuracy))
    return Fitted(stages=tuple(stages), seconds=time.monotonic() - begun)
