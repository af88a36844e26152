#!/usr/bin/env bash
# Goodfellow's Table 1 on a GPU to 2,000 epochs: MINUTES of it (default 4), from the start or from the parts that an earlier call has left.
# A call may end before: last.safetensors comes back in parts of 15 MB, which the next takes from RESUME.
#
#     OUT=build/gpu MINUTES=4 bash benchmarks/on_gpu_c.sh
#     OUT=build/gpu RESUME=carried bash benchmarks/on_gpu_c.sh         (see on_gpu_parts.sh for what else it takes)
. "$(dirname "$0")/on_gpu_parts.sh"
need_gpu
if [ $data != mnist ]; then
  echo "MINIGAN_DATA names no folder with MNIST: Table 1 is about nothing else"
  exit 2
fi
warm_cache
minutes=${MINUTES:-4} folder=$work/table1 more=()
mkdir -p "$folder"
if [ -n "${RESUME:-}" ]; then
  cat "$RESUME"/last.part* >"$folder/last.safetensors" && cp "$RESUME/best.safetensors" "$folder/" && more=(--resume)
fi
seconds=$("$python" -c "print(int(60 * $minutes) + 60)") # a minute to measure the chosen epoch
part table1 "$seconds" 30 "$python" examples/goodfellow_table1.py --device cuda --epochs 2000 --every 50 --minutes "$minutes" --out "$folder" "${more[@]}"
if [ -e "$folder/last.safetensors" ]; then
  split -b 15000000 "$folder/last.safetensors" "$out/last.part"
  for file in best.safetensors result.json samples.png; do
    if [ -e "$folder/$file" ]; then cp "$folder/$file" "$out/"; fi
  done
fi
finish
