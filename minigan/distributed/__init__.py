"""Several processes that train together, on MPI, under torch.distributed's names.

    mpirun -n 4 python script.py

    import minigan.distributed as dist
    dist.init_process_group()
    dist.get_rank(), dist.get_world_size()
    dist.all_reduce(tensor)

Needs the extra `mpi`. A run of minigan needs none of these: started by mpirun, it splits its
batches by itself (docs/scaling.md).
"""

from .collectives import (
    ReduceOp,
    Work,
    all_gather,
    all_gather_object,
    all_reduce,
    barrier,
    broadcast,
    broadcast_object_list,
    reduce,
)
from .group import (
    destroy_process_group,
    get_backend,
    get_rank,
    get_world_size,
    init_process_group,
    is_available,
    is_initialized,
    tell_as_torchrun,
)

is_mpi_available = is_gloo_available = is_nccl_available = is_available
tell_as_torchrun()

__all__ = [
    "ReduceOp", "Work", "all_gather", "all_gather_object", "all_reduce", "barrier", "broadcast",
    "broadcast_object_list", "destroy_process_group", "get_backend", "get_rank", "get_world_size",
    "init_process_group", "is_available", "is_gloo_available", "is_initialized",
    "is_mpi_available", "is_nccl_available", "reduce",
]  # fmt: skip
