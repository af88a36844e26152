#!/usr/bin/env bash
# Everything that needs a GPU, in under 9 minutes, on a machine without a network: the tests marked gpu, then benchmarks/cuda.py.
# Each part has a time limit and a log of its own, and one that fails stops no other. Logs and results go to $OUT (default: build/gpu).
#
#     bash benchmarks/on_gpu.sh [PYTHON]
set -u
cd "$(dirname "$0")/.."
python=${1:-python3}
out=${OUT:-build/gpu}
mkdir -p "$out"
export PYTHONPATH="$PWD:$PWD/tests${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 MPLBACKEND=Agg
export CUPY_CACHE_DIR=${CUPY_CACHE_DIR:-/tmp/minigan-cupy} CUPY_NVRTC_USE_PCH=1 XLA_PYTHON_CLIENT_PREALLOCATE=false
began=$SECONDS failed=""

part() { # part NAME SECONDS COMMAND...
  local name=$1 limit=$2
  shift 2
  local from=$SECONDS
  timeout -k 5 "$limit" "$@" >"$out/$name.log" 2>&1
  local code=$?
  printf '%-12s %4d s  exit %d%s\n' "$name" $((SECONDS - from)) "$code" "$([ $code = 124 ] && echo ' (out of time)')"
  if [ $code != 0 ]; then failed="$failed $name"; fi
  tail -n 12 "$out/$name.log" | sed 's/^/    /'
}

facts() {
  nvidia-smi || true
  "$python" - <<'PY'
import importlib.metadata as m
for p in ("numpy", "cupy-cuda13x", "cupy-cuda12x", "numba", "torch", "jax", "pytest", "pytest-xdist", "hypothesis", "tqdm", "safetensors", "matplotlib"):
    try: print(p, m.version(p))
    except m.PackageNotFoundError: print(p, "is missing")
import minigan
print("problem:", minigan.backend.cuda_problem())
print(minigan.cuda.memory_summary())
PY
}
export -f facts
export python

xdist=()
"$python" -c 'import xdist' 2>/dev/null && xdist=(-n 6 --dist loadgroup)
part facts 60 bash -c facts
part gpu 110 "$python" -m pytest -m gpu tests/gpu tests/backend -p no:cacheprovider --durations=8
part table 130 "$python" -m pytest -m gpu tests/ops -p no:cacheprovider "${xdist[@]}"
part example 50 "$python" examples/mnist_gan.py --device cuda --dataset strokes --max-steps 2000 --out "$out/run" --no-doctor
left=$((520 - (SECONDS - began)))
part cuda "$left" "$python" benchmarks/cuda.py --seconds $((left - 25)) --json "$out/cuda.json"
echo "all in $((SECONDS - began)) s; failed:${failed:- nothing}"
[ -z "$failed" ]
