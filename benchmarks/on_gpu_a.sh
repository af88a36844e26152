#!/usr/bin/env bash
# The first call on a GPU, at most 240 s: what decides. Digits by both models, every part against the CPU, graphs, DCGAN-64 beside PyTorch.
#
#     OUT=build/gpu bash benchmarks/on_gpu_a.sh         (see on_gpu_parts.sh for what else it takes)
. "$(dirname "$0")/on_gpu_parts.sh"
need_gpu
warm_cache
part facts 20 40 "$python" benchmarks/gpu_facts.py
example mlp 30 --epochs 3 --sample-interval 900
example dcgan 40 --epochs 3 --sample-interval 900
part smoke 55 90 "$python" benchmarks/gpu_smoke.py --seconds 45
part gpu 30 15 "$python" -m pytest -m gpu tests/fast/test_gpu.py -k "graphs_give or cannot_be_captured or random" -p no:cacheprovider -rf --tb=short --maxfail=20
left=$((228 - SECONDS))
part bench $left 40 "$python" benchmarks/gpu_steps.py --only dcgan64 mlp64 --rounds 5 --seconds $((left - 8)) --json "$out/steps-a.json"
finish
