#!/usr/bin/env bash
# What is measured where there is a GPU, in steps of at most eight minutes. The same command again goes on: what is done
# is not done again, and a step that was stopped resumes.
#
#     benchmarks/gpu.sh [--dry-run] next     the first step that is not done
#     benchmarks/gpu.sh [--dry-run] all      every step that is not done, one after another
#     benchmarks/gpu.sh [--dry-run] list     the steps, what they run, and which are done
#     benchmarks/gpu.sh [--dry-run] STEP     one step, whether or not it is done
#
# --dry-run takes tiny shapes and the CPU. Results lie in build/gpu, those of a dry run in build/gpu-dry
# (below $MEMBENCH_GPU in place of build, if it is set).
# MEMBENCH_TEXT is what train-memory trains on (slimpajama, which is streamed, or file:PATH).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

LIMIT=470  # seconds of a step
home=${MEMBENCH_GPU:-build}
device=cuda model=smollm2-135m out=$home/gpu shape=8b contexts=20 seeds=0,1,2 phases=1500,1500,1000
pool="--new 64 --size 1024 --chunk 128"
text=${MEMBENCH_TEXT:-slimpajama} batch=16 epochs=12
if [ "${1:-}" = --dry-run ]; then
  shift
  device=cpu out=$home/gpu-dry shape=tiny contexts=1 seeds=0 phases=1,1,1 pool="--new 8 --size 64 --chunk 8"
  model=$out/tiny
  text=file:README.md batch=1 epochs=1
fi

declare -a names=()
declare -A commands=()
step() { names+=("$1"); commands[$1]="${*:2}"; }

measure="python benchmarks/gpu_measures.py --device $device --model $model --shape $shape"
step parity-reading "$measure parity-reading"
step parity-training "$measure parity-training --epochs $epochs"
for method in base in-context full-context bm25 dpr hybrid rerank contextual raptor infllm cartridge memoryllm ft-c ft-s \
  selfparam lora-bank; do
  step "speed-$method" "$measure speed $method"
done
step batched-writes "python benchmarks/batched_writes.py $model --device $device --epochs $epochs --together 1,2,4,8 --contexts 8"
step train-memory "membench train-memory --model $model --text $text --rank 4 --alpha 8 --steps $phases $pool" \
  "--batch-size $batch --device $device -o $out/parts"
step parts-size "$measure parts-size $out/parts"
# As benchmarks/reference.sh, in its precision, so that what differs is the device.
play="membench run --output $out/results --model $model --device $device --dtype float32 --seeds $seeds -L $contexts"
step single "$play -m selfparam,ft-s,ft-c,lora-bank,cartridge -t single -M epochs=$epochs"
step sequential "$play -m selfparam,ft-s,ft-c,lora-bank,cartridge -t sequential -T questions=2 -M epochs=$epochs"
step batch "$play -m selfparam,ft-s,lora-bank,cartridge -t batch -M epochs=$((epochs * 2))"

# Runs a step; a step that runs into the limit is not done, and no failure.
run() {
  mkdir -p "$out"
  echo "$1: ${commands[$1]}"
  # shellcheck disable=SC2086  # a command is words
  timeout --signal=INT --kill-after=20 "$LIMIT" ${commands[$1]} >"$out/$1.log"
  local status=$?
  cat "$out/$1.log"
  case $status in
    0) mv "$out/$1.log" "$out/$1.txt" ;;
    124 | 137) echo "$1: the time is up; the same command goes on" ;;
    *) echo "$1: failed with status $status" >&2; return "$status" ;;
  esac
}

prepare() {
  mkdir -p "$out"
  if [ "$shape" = tiny ]; then
    [ -d "$model" ] || python -c "from pathlib import Path; from membench.plugins.tiny_model import tiny_llm; tiny_llm(Path('$model'))"
  else
    nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader >"$out/card.txt" || exit 1
  fi
}

case ${1:-} in
  list)
    for name in "${names[@]}"; do
      if [ -e "$out/$name.txt" ]; then mark=done; else mark=open; fi
      printf '%s\t%s\t%s\n' "$name" "$mark" "${commands[$name]}"
    done
    ;;
  next | all)
    prepare
    failed=0
    for name in "${names[@]}"; do
      [ -e "$out/$name.txt" ] && continue
      run "$name" || failed=1
      [ "$1" = next ] && exit "$failed"
    done
    exit "$failed"
    ;;
  *)
    if [ -z "${1:-}" ] || [ -z "${commands[$1]:-}" ]; then
      sed -n '2,10p' "$0" >&2
      exit 2
    fi
    prepare
    run "$1"
    ;;
esac
