#!/usr/bin/env bash
# The experiment of docs/experiment.md, stored in results/experiment. Cells that are done are not played again, so a stopped
# run goes on with the same command. One core: the design two hours, the comparison twelve.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
play() { membench run --output results/experiment "$@"; }

# Why a memory forgets: the screening, the remedies, two more seeds (development seed; benchmarks/experiment_design.py).
python benchmarks/experiment.py

# Enough to resolve: three seeds of each trained method at its own best row of docs/tuning.md, on the report's texts. Single
# first, since the noise of seeds that it shows decides how to go on; there seed 0 of all but ft-c is in the reference run.
best() { # METHOD SEED OPTIONS…: at its own best settings, with `factor` times the passes
  local method="$1" seed="$2"; shift 2
  case "$method" in
    selfparam) play -m selfparam --seeds "$seed" -M "epochs=$((12 * factor))" "$@" ;;
    ft-s) play -m ft-s --seeds "$seed" -M lr=0.002 -M "epochs=$((24 * factor))" "$@" ;;
    ft-c) play -m ft-c --seeds "$seed" -M "epochs=$((48 * factor))" "$@" ;;
    cartridge) play -m cartridge --seeds "$seed" "$@" ;;
  esac
}
methods="selfparam ft-s ft-c cartridge"
factor=1
for seed in 1 2; do for method in selfparam ft-s; do best $method $seed -t single -L 20; done; done
for seed in 0 1 2; do best ft-c $seed -t single -L 20; done
for seed in 1 2; do best cartridge $seed -t single -L 20; done
for seed in 0 1 2; do for method in $methods; do best $method $seed -t sequential -L 20 -T questions=4; done; done
play -m bm25 -t sequential -L 20 -T questions=4
# Over twenty texts: the recipe that kept most in the second design, also alone, and remedies.
for recipe in "-M epochs=6 -M upper=1.0" "-M hold=1" "-M replay=1" "-M orthogonal=true"; do
  play -m selfparam $recipe -t sequential -L 20 -T questions=4
done
play -m lora-bank -t sequential -L 20 -T questions=4
play -m selfparam -M epochs=6 -M upper=1.0 -t single -L 20
factor=2 # in batch; seed 0 of selfparam and cartridge is in the reference run
for seed in 1 2; do for method in selfparam cartridge; do best $method $seed -t batch -L 20; done; done
for seed in 0 1 2; do for method in ft-s ft-c; do best $method $seed -t batch -L 20; done; done

# Real paragraphs with five questions each, and real conversations, where their files are at hand: docs/data.md.
# MEMBENCH_SQUAD=squad:FILE MEMBENCH_REDIAL=redial:FOLDER make experiment.
given() { [ -n "$2" ] || { echo "$1 is not set: what needs it is left out" >&2; return 1; }; }
if given MEMBENCH_SQUAD "${MEMBENCH_SQUAD:-}"; then
  squad() { play --data "$MEMBENCH_SQUAD" -t sequential -L 10 -T questions=5 "$@"; }
  squad -m bm25,dpr,hybrid,full-context
  squad -m selfparam -M targets=recorded:benchmarks/targets/squad_dev_half1.jsonl -M pairs=8
fi
if given MEMBENCH_REDIAL "${MEMBENCH_REDIAL:-}"; then
  play -m base,in-context,bm25,dpr,hybrid -t recommendation --data "$MEMBENCH_REDIAL" -L 30 -T turns=60
fi
