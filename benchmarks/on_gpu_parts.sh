# What on_gpu_a.sh, on_gpu_b.sh and on_gpu_c.sh share. They are for a machine with a GPU that is lent for minutes, without a network:
# every part is a process of its own with a time limit, so that none stops another, and writes into one log; few files come out.
#
# OUT           folder for results (default build/gpu)
# PYTHON        the interpreter (default python3); it needs NumPy, Numba, CuPy; no installation of minigan
# MINIGAN_DATA  folder with the four idx files of MNIST (default: shared/data/mnist or carried, if one is there; else `strokes`)
# CUBINS        a cubins.tgz that an earlier call has left in OUT: CuPy's compiled kernels (default carried/cubins.tgz, if it is there)
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
python=${PYTHON:-python3}
out=${OUT:-build/gpu}
mkdir -p "$out" || exit 2
log=$out/log.txt
: >"$log"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 MPLBACKEND=Agg
export CUPY_CACHE_DIR=${CUPY_CACHE_DIR:-/tmp/minigan-cupy} CUPY_NVRTC_USE_PCH=1 XLA_PYTHON_CLIENT_PREALLOCATE=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=""
for folder in shared/data/mnist carried/mnist carried; do
  if [ -z "${MINIGAN_DATA:-}" ] && [ -e "$folder/train-images-idx3-ubyte.gz" ]; then export MINIGAN_DATA=$PWD/$folder; fi
done
if [ -n "${MINIGAN_DATA:-}" ]; then data=mnist; else data=strokes; fi

part() { # part NAME SECONDS LINES COMMAND...: the last LINES of what it says are shown, all of it is in the log
  local name=$1 limit=$2 lines=$3 from=$SECONDS before code
  shift 3
  echo "=== $name" >>"$log"
  before=$(wc -c <"$log")
  timeout -s INT -k 10 "$limit" "$@" >>"$log" 2>&1 # SIGINT: what Python prints at a KeyboardInterrupt is not lost
  code=$?
  if [ $code != 0 ]; then failed="$failed $name"; fi
  printf '=== %s: %d s, exit %d%s\n' "$name" $((SECONDS - from)) $code "$([ $code = 124 ] && echo ' (out of time)')"
  tail -c +$((before + 1)) "$log" | tail -n "$lines" | cut -c1-600
}

need_gpu() { # ends here, with one line, where there is none
  local problem
  problem=$("$python" -c 'from minigan.arrays import cuda_problem; print(cuda_problem() or "")' 2>&1)
  if [ -n "$problem" ]; then
    echo "no GPU to run on: $(echo "$problem" | tail -n 1)" | tee -a "$log"
    exit 2
  fi
}

warm_cache() { # CuPy's kernels of an earlier call
  local file=${CUBINS:-carried/cubins.tgz}
  if [ -e "$file" ]; then mkdir -p "$CUPY_CACHE_DIR" && tar xzf "$file" -C "$CUPY_CACHE_DIR" && echo "kernels of an earlier call: $(ls "$CUPY_CACHE_DIR" | wc -l)"; fi
}

keep_cache() { # those of this one, if they are small enough to come back
  if [ -d "$CUPY_CACHE_DIR" ] && tar czf "$work/cubins.tgz" -C "$CUPY_CACHE_DIR" . && [ "$(wc -c <"$work/cubins.tgz")" -lt 15000000 ]; then
    cp "$work/cubins.tgz" "$out/"
  fi
}

example() { # example MODEL SECONDS ARGUMENTS...: a run of mnist_gan.py, and its last grid
  local model=$1 limit=$2 grid
  shift 2
  part "example-$model" "$limit" 8 "$python" examples/mnist_gan.py --device cuda --model "$model" --dataset $data --quiet --out "$work/$model" "$@"
  grid=$(ls "$work/$model"/samples/*.png 2>/dev/null | tail -n 1)
  if [ -n "$grid" ]; then cp "$grid" "$out/$model.png"; fi
  if [ -e "$work/$model/metrics.jsonl" ]; then tail -n 1 "$work/$model/metrics.jsonl" | tee -a "$log"; fi
}

finish() {
  keep_cache
  echo "all in $SECONDS s; failed:${failed:- nothing}; files: $(ls "$out" | tr '\n' ' ')"
  [ -z "$failed" ]
}
