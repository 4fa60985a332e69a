"""Which sampler finds the best networks within a budget, and how soon: many simulated searches of each.

    python -m benchmarks.tabular.compare [--budgets 10000,15000,20000] [--repeats 30] [--epochs 1200] [METHOD ...]

A method is the name of a sampler of ours, with `:1` for trainings of full length only, without rungs; `plain` is what a
user would write: Optuna's TPE and its median pruner. Prints a line a method and budget: the median of the model-epochs
until the best so far truly is as good as one in a hundred of the table's random networks within the budget, with the
quartiles; true accuracy of the best at the end, mean and its standard error; and by how much what the search claims of
it exceeds that. Methods meet the same worlds: repeat k draws its noise from seed k.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time

import numpy as np

from benchmarks.tabular.simulator import Course, Method, Truth, ours, plain, threshold
from benchmarks.tabular.world import world
from search.samplers import SAMPLERS
from search.settings import RUNGS
from workers.process import prepare

Task = tuple[str, int, int, int]
"""Method, budget, repeat, model-epochs."""


def main() -> None:
    """Search, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    methods = ["plain", *SAMPLERS, *(f"{sampler}:1" for sampler in SAMPLERS)]
    parser.add_argument("methods", nargs="*", default=methods)
    parser.add_argument("--budgets", default="10000,15000,20000")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=1200)
    asked = parser.parse_args()
    budgets = [int(budget) for budget in asked.budgets.split(",")]
    there = world()
    print(f"the regression explains {there.explained:.0%} of the variance; rank correlation {there.ranks:.2f}")
    goals = {budget: threshold(there, budget) for budget in budgets}
    print("\n| method | budget | goal | model-epochs to it (quartiles) | missed | true accuracy | claimed too high |")
    print("|---|---|---|---|---|---|---|")
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0)), prepare) as pool:
        for method in asked.methods:
            for budget in budgets:
                begun = time.monotonic()
                tasks = [(method, budget, repeat, asked.epochs) for repeat in range(asked.repeats)]
                courses = pool.map(search, tasks, chunksize=1)
                assert max(course.largest for course in courses) <= budget
                line = row(courses, goals[budget], asked.epochs)
                print(f"| {method} | {budget:,} | {line} | <!-- {time.monotonic() - begun:.0f} s -->", flush=True)


def search(task: Task) -> Course:
    """One simulated search."""
    method, budget, repeat, epochs = task
    truth = Truth(world(), repeat)
    if method == "plain":
        return plain(truth, budget, repeat, epochs)
    sampler, _, single = method.partition(":")
    return ours(Method(sampler=sampler, rungs=RUNGS[-1:] if single else RUNGS), truth, budget, repeat, epochs)


def row(courses: list[Course], goal: float, epochs: int) -> str:
    """Cells of the table."""
    reached = [course.until(goal) for course in courses]
    low, median, high = np.quantile(reached, (0.25, 0.5, 0.75), method="higher")
    ends = np.array([course.after(epochs) for course in courses])
    claimed, true = ends.mean(axis=0)
    error = ends[:, 1].std(ddof=1) / len(ends) ** 0.5
    missed = np.isinf(reached).sum()
    return (
        f"{goal:.2%} | {median:.0f} ({low:.0f} to {high:.0f}) | {missed} of {len(courses)} | "
        f"{true:.3%} ± {error:.3%} | {claimed - true:.3%}"
    )


if __name__ == "__main__":
    main()
