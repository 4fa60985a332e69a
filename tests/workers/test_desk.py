from __future__ import annotations

import asyncio

from workers.desk import Desk
from workers.job import Job, Task


def job(seed: int) -> Job:
    return Job(kind="candidate", candidate=0, line="1x8x8-1c3-G", epochs=1, fold=0, seed=seed)


def test_a_desk_hands_each_worker_its_own_jobs_in_order() -> None:
    async def hand_over() -> list[Task]:
        desk = Desk()
        waiting = asyncio.create_task(desk.take("anna"))
        await asyncio.sleep(0)
        for worker, seed in (("bert", 1), ("anna", 2), ("anna", 3)):
            await desk.put(worker, job(seed))
        return [await waiting, await desk.take("anna"), await desk.take("bert")]

    assert [found.seed for found in asyncio.run(hand_over())] == [2, 3, 1]
