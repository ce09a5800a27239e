#!/usr/bin/env bash
# The experiment of docs/experiment.md, stored in results/experiment. Cells that are done are not played again, so a stopped
# run goes on with the same command. One core: the design two hours, the comparison ten, the remedies two.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
play() { membench run --output results/experiment "$@"; }

# Why a memory forgets: the screening, the remedies, two more seeds (development seed; benchmarks/experiment_design.py).
python benchmarks/experiment.py

# Enough to resolve: three seeds of each trained method at settings of its own (docs/tuning.md), on the report's texts. What is
# written alone and together joins the rows of the reference run; seed 0 of some of these cells is there already.
best() { # METHOD SEED OPTIONS…: at settings of its own, with `factor` times the passes
  local method="$1" seed="$2"; shift 2
  case "$method" in
    selfparam) set -- -M "epochs=$((12 * factor))" "$@" ;;
    ft-s) set -- -M lr=0.002 -M "epochs=$((24 * factor))" "$@" ;;
    ft-c) set -- -M "epochs=$((48 * factor))" "$@" ;;
    cartridge) set -- -M lr=0.02 -M epochs=24 "$@" ;; # each text has a prefix of its own, together too
  esac
  membench run -m "$method" --seeds "$seed" "$@"
}
methods="selfparam ft-s ft-c cartridge"
for seed in 0 1 2; do
  factor=1
  for method in $methods; do best $method $seed -t single -L 20 --output results/reference; done
  for method in $methods; do best $method $seed -t sequential -L 20 -T questions=4 --output results/experiment; done
  factor=2
  for method in $methods; do best $method $seed -t batch -L 20 --output results/reference; done
done
play -m bm25 -t sequential -L 20 -T questions=4

# Over twenty texts: the recipe that kept most in the second design, also alone, and remedies.
for recipe in "-M epochs=6 -M upper=1.0" "-M hold=1" "-M replay=1" "-M orthogonal=true"; do
  play -m selfparam $recipe -t sequential -L 20 -T questions=4
done
play -m lora-bank -t sequential -L 20 -T questions=4
membench run --output results/reference -m selfparam -M epochs=6 -M upper=1.0 -t single -L 20
# The rows that the grid's rule selects (docs/tuning.md), alone, where they are not those of the comparison.
for row in "-m selfparam -M lr=0.008" "-m ft-s -M lr=0.008"; do
  membench run --output results/reference $row -M epochs=24 -t single -L 20
done
# `cartridge` at its defaults, three seeds, as the comparison had it first.
membench run --output results/reference -m cartridge --seeds 0,1,2 -t single,batch -L 20
play -m cartridge --seeds 0,1,2 -t sequential -L 20 -T questions=4

# Real paragraphs with five questions each, and real conversations, where their files are at hand: docs/data.md.
# MEMBENCH_SQUAD=squad:FILE MEMBENCH_REDIAL=redial:FOLDER make experiment.
given() { [ -n "$2" ] || { echo "$1 is not set: what needs it is left out" >&2; return 1; }; }
if given MEMBENCH_SQUAD "${MEMBENCH_SQUAD:-}"; then
  squad() { play --data "$MEMBENCH_SQUAD" -t sequential -L 10 -T questions=5 "$@"; }
  squad -m bm25,dpr,hybrid,full-context
  squad -m selfparam -M targets=recorded:benchmarks/targets/squad_dev_half1.jsonl -M pairs=8
fi
if given MEMBENCH_REDIAL "${MEMBENCH_REDIAL:-}"; then
  # thirty dialogues together do not fit into the window, so there is no reference
  play -m base,bm25,dpr,hybrid --no-yardsticks -t recommendation --data "$MEMBENCH_REDIAL" -L 30 -T turns=60
fi
