#!/usr/bin/env bash
# The experiment of docs/experiment.md, stored in results/experiment. Cells that are done are not played again, so a stopped
# run goes on with the same command. One core: the design two hours, the comparison twelve.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
play() { membench run --output results/experiment "$@"; }

# Why a memory forgets: the screening, the remedies, two more seeds (development seed; benchmarks/experiment_design.py).
python benchmarks/experiment.py

# Enough to resolve: three seeds of each trained method at its own best row of docs/tuning.md, on the report's texts.
compared() { # TASK and its options: single first, since the noise of seeds that it shows decides how to go on
  for seed in 0 1 2; do
    play -m selfparam,cartridge --seeds "$seed" "$@"
    play -m ft-s --seeds "$seed" -M lr=0.002 -M epochs=24 "$@"
    play -m ft-c --seeds "$seed" -M epochs=48 "$@"
  done
}
compared -t single -L 20
compared -t sequential -L 20 -T questions=4
for seed in 0 1 2; do
  play -m selfparam --seeds "$seed" -t batch -L 20 -M epochs=24
  play -m ft-s --seeds "$seed" -t batch -L 20 -M lr=0.002 -M epochs=48
  play -m ft-c --seeds "$seed" -t batch -L 20 -M epochs=96
  play -m cartridge --seeds "$seed" -t batch -L 20
done
