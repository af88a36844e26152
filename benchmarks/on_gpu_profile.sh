#!/usr/bin/env bash
# Where the time goes on a GPU, some two minutes: the kernels of a step, and Python's part in a run of the example.
#
#     OUT=build/gpu bash benchmarks/on_gpu_profile.sh         (see on_gpu_parts.sh for what else it takes)
. "$(dirname "$0")/on_gpu_parts.sh"
need_gpu
warm_cache
for of in "dcgan64/minigan graph fp32" "mlp64/minigan graph fp32" "dcgan64/torch graph fp32" "dcgan28/minigan graph fp32" "wgan-gp/minigan graph fp32"; do
  part "kernels-${of%%/*}" 40 45 "$python" benchmarks/gpu_kernels.py --workload "${of%%/*}" --contender "${of#*/}"
done
run=(examples/mnist_gan.py --model mlp --device cuda --dataset $data --quiet --epochs 3 --sample-interval 900)
part loop 40 60 "$python" -m cProfile -s tottime "${run[@]}" --out "$work/loop"
part table1 40 8 "$python" examples/goodfellow_table1.py --device cuda --epochs 40 --every 20 --minutes 0.3 --out "$work/table1"
finish
