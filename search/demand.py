"""What trainings on a data set take of the machines they run on."""

from __future__ import annotations

import os
from dataclasses import replace

import torch

from search import home
from search.places import gpu_share
from search.site import Site
from workers.dataset import DataSet
from workers.memory import training_bytes
from workers.numerics import device, fastest
from workers.sharing import gpu_key, most_productive


def with_demand(site: Site, data: DataSet, batch: int) -> Site:
    """The site, told what one training on `data` with batches of this size takes up, and how many share a GPU best."""
    needed = training_bytes(data, batch)
    return replace(site, gpu_bytes=needed, shared_bytes=data.images.nbytes, sharing=_sharing(site, needed))


def _sharing(site: Site, needed: int) -> int | None:
    """Measured on this machine's GPU, if that is where trainings will run and the user has not said how many."""
    if site.address is not None or site.gpus is not None or device().type == "cpu":
        return None
    cores = len(os.sched_getaffinity(0)) / torch.cuda.device_count()
    ceiling = round(1 / gpu_share(torch.cuda.get_device_properties(0).total_memory, needed, cores))
    return most_productive(home.sharing_file(), gpu_key(), ceiling, fastest(home.numerics_file()))
