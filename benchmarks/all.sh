#!/bin/sh
# Every benchmark of speed, briefly (some twenty minutes), and one table of them:
#
#     pip install -e '.[bench]' && sh benchmarks/all.sh [FOLDER]    # default runs/benchmarks
#
# What a benchmark has printed is in FOLDER/NAME.txt. Before and after each the machine's rate of a
# matrix product is measured: the table says which benchmarks met a slow spell of the machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-runs/benchmarks}
mkdir -p "$out"

brief() { # NAME SCRIPT [OPTION ...]
    name=$1
    script=$2
    shift 2
    echo "== $name"
    rm -f "$out/$name.json" "$out/$name.gemm"
    python "$here/summary.py" "$out" --gemm "$name"
    python "$here/$script.py" "$@" --json "$out/$name.json" >"$out/$name.txt" 2>&1 ||
        echo "$name failed: $out/$name.txt says why"
    python "$here/summary.py" "$out" --gemm "$name"
}

brief overhead overhead --rounds 3 --steps 200
brief mlp_gan mlp_gan --rounds 3 --steps 20
brief ported ported --rounds 3 --steps 10
brief modules layers --rounds 2
brief conv conv --what dcgan28 dcgan64 wgan-gp --rounds 2
brief layers conv --what layers volumes --rounds 2 --seconds 0.2
brief memory conv --what memory
python "$here/summary.py" "$out"
