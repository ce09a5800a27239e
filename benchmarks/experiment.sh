#!/usr/bin/env bash
# The experiment of docs/experiment.md, stored in results/experiment. Cells that are done are not played again, so a stopped
# run goes on with the same command. One core: the design four hours, the comparison sixteen, other rows nine, rows on the
# development seed four, what is kept over twenty texts three.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
play() { membench run --output results/experiment "$@"; }

# Why a memory forgets: the screening, the remedies, two more seeds (development seed; benchmarks/experiment_design.py).
python benchmarks/experiment.py

# Enough to resolve: three seeds of each trained method at settings of its own (docs/tuning.md), on the report's texts. What is
# written alone and together joins the rows of the reference run; seed 0 of some of these cells is there already.
three() { # METHOD TASK OPTIONS…: three seeds, in the folder that has the task
  local method="$1" task="$2" folder=reference; shift 2
  [ "$task" != sequential ] || { folder=experiment; set -- -T questions=4 "$@"; }
  membench run --output "results/$folder" -m "$method" -t "$task" -L 20 --seeds 0,1,2 "$@"
}
best() { # METHOD TASK: at settings of its own, over many texts at once with twice the passes
  local method="$1" task="$2" factor=1; shift 2
  [ "$task" != batch ] || factor=2
  case "$method" in
    selfparam) set -- -M "epochs=$((12 * factor))" ;;
    ft-s) set -- -M lr=0.002 -M "epochs=$((24 * factor))" ;;
    ft-c) set -- -M "epochs=$((48 * factor))" ;;
    cartridge) set -- -M lr=0.02 -M epochs=24 ;; # each text has a prefix of its own, together too
  esac
  three "$method" "$task" "$@"
}
for task in single sequential batch; do
  for method in selfparam ft-s ft-c cartridge; do best $method $task; done
done
play -m bm25 -t sequential -L 20 -T questions=4
# What is kept of `cartridge` differs most by seed: two more.
play -m cartridge -t sequential -L 20 -T questions=4 -M lr=0.02 -M epochs=24 --seeds 3,4

# Over twenty texts: what the designs lead to, also alone, remedies, and a model of twice the size.
for recipe in "-M epochs=6 -M upper=1.0" "-M hold=1" "-M replay=1" "-M orthogonal=true"; do
  play -m selfparam $recipe -t sequential -L 20 -T questions=4
done
three selfparam sequential -M lr=0.001 -M epochs=24
play -m lora-bank -t sequential -L 20 -T questions=4
for recipe in "" "-M lr=0.001 -M epochs=24"; do
  play -m selfparam --model gemma3-270m --no-yardsticks $recipe -t sequential -L 20 -T questions=4
done
for recipe in "-M epochs=6 -M upper=1.0" "-M lr=0.001 -M epochs=24"; do
  membench run --output results/reference -m selfparam $recipe -t single -L 20
done
# Other rows: what the grid's rule selects where that is not played above, and `cartridge` at its defaults.
for method in selfparam ft-s; do
  three $method single -M lr=0.008 -M epochs=24
  three $method batch -M lr=0.008 -M epochs=48
  three $method sequential -M lr=0.008 -M epochs=24
done
for task in single batch sequential; do three cartridge $task; done
# Three rows a method on ten texts of the development seed, in sequence and together: what would a rule choose for these tasks?
for row in {selfparam,ft-s}:0.00{2:24,4:12,8:24} ft-c:0.00{2:48,4:24,4:48} cartridge:0.0{05:24,1:12,2:24}; do
  IFS=: read -r method rate passes <<<"$row"
  play --data worlds:1 -L 10 -m "$method" -t sequential -T questions=4 -M "lr=$rate" -M "epochs=$passes"
  [ "$method" = cartridge ] || passes=$((2 * passes))
  play --data worlds:1 -L 10 -m "$method" -t batch -M "lr=$rate" -M "epochs=$passes"
done

# Real paragraphs with five questions each, and real conversations, where their files are at hand: docs/data.md.
# MEMBENCH_SQUAD=squad:FILE MEMBENCH_REDIAL=redial:FOLDER make experiment.
given() { [ -n "$2" ] || { echo "$1 is not set: what needs it is left out" >&2; return 1; }; }
if given MEMBENCH_SQUAD "${MEMBENCH_SQUAD:-}"; then
  squad() { play --data "$MEMBENCH_SQUAD" -t sequential -L 10 -T questions=5 "$@"; }
  squad -m bm25,dpr,hybrid,rerank,contextual,full-context
  squad -m raptor -M budget=400
  squad -m selfparam -M targets=recorded:benchmarks/targets/squad_dev_half1.jsonl -M pairs=8
fi
if given MEMBENCH_REDIAL "${MEMBENCH_REDIAL:-}"; then
  # thirty dialogues together do not fit into the window, so there is no reference
  play -m base,bm25,dpr,hybrid --no-yardsticks -t recommendation --data "$MEMBENCH_REDIAL" -L 30 -T turns=60
fi
