#!/usr/bin/env bash
# Every system on a GPU, at most 240 s: each goes where it goes on the CPU, is a graph, resumes to the bit, draws and is measured. Several
# processes share the GPU, as the tests are bound by Python and by compilers: WORKERS of them (default 10).
#
#     OUT=build/gpu bash benchmarks/on_gpu_d.sh         (see on_gpu_parts.sh for what else it takes)
. "$(dirname "$0")/on_gpu_parts.sh"
need_gpu
warm_cache
spread=()
if "$python" -c 'import xdist' 2>/dev/null; then spread=(-n "${WORKERS:-10}"); fi
MINIGAN_NUM_THREADS=1 part systems 230 80 "$python" -m pytest -m gpu tests/systems/test_on_gpu.py -p no:cacheprovider -rf --tb=short --durations=8 "${spread[@]}" ${SELECT:+-k "$SELECT"}
finish
