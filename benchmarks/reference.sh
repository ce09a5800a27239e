#!/usr/bin/env bash
# The project's own reference run, stored in results/reference. Cells that are done are not played again, so a stopped run
# goes on with the same command. Data seed 0; what was tuned on seed 1, and what was not: docs/tuning.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
play() { membench run --output results/reference "$@"; }

play -m selfparam,ft-s,ft-c,bm25,dpr,full-context,infllm,memoryllm,raptor -t single -L 20
play -m selfparam,ft-s,ft-c,bm25,dpr,full-context,infllm,memoryllm -t sequential -L 20 -T questions=2
play -m raptor -t sequential -L 20 -T questions=2 -M budget=400
play -m selfparam -t sequential -L 20 -T questions=2 -M replay=1
play -m selfparam -t sequential -L 20 -T questions=2 -M replay=2
play -m bm25,dpr,full-context,infllm,memoryllm -t batch -L 20
play -m raptor -t batch -L 20 -M budget=400
play -m selfparam,ft-s -t batch -L 20 -M epochs=24
play -m ft-c -t batch -L 20 -M epochs=48
play -m ft-s,selfparam -t single -L 20 -M answers=gold
play -m ft-s -t single -L 20 -M lr=0.002 -M epochs=24
play -m cartridge -t single,batch -L 20
play -m cartridge -t sequential -L 20 -T questions=2
play -m selfparam -t single -L 20 -M suffix=0
play -m hybrid,rerank,contextual,lora-bank,cartridge-bank -t single,batch -L 20
play -m hybrid,rerank,contextual,lora-bank,cartridge-bank -t sequential -L 20 -T questions=2
# Text and weights together: the adapter worn for all of the prompt or for the answer alone, and less and less of the text.
for scope in all decode; do
  play -m bm25+selfparam -t single -L 20 -M adapter_scope=$scope
  play -m bm25+selfparam -t batch -L 20 -M adapter_scope=$scope -M selfparam.epochs=24
  play -m bm25+selfparam -t sequential -L 20 -T questions=2 -M adapter_scope=$scope
done
retaining() { membench run --output results/retained -t batch -L 20 "$@"; }  # not in the tables of the reference run
for share in 0.25 0.5 0.75; do
  retaining -m bm25+base -M retained=$share
  for scope in all decode; do
    retaining -m bm25+selfparam -M retained=$share -M selfparam.epochs=24 -M adapter_scope=$scope
  done
done
play -m bm25,ft-s,ft-c,selfparam -t single -L 10 --model gemma3-270m
play -m bm25,ft-s,ft-c,selfparam -t sequential -L 10 -T questions=2 --model gemma3-270m

# Contamination: 20 facts or more of every kind of probe. Recommendation: invented films.
every=bm25,dpr,raptor,full-context,infllm,memoryllm,selfparam,ft-s,ft-c,cartridge
play -m "$every,hybrid,rerank,contextual,bm25+selfparam,lora-bank" -t contamination -L 10 -T drift=5
play -m "$every" -t recommendation --data movie-worlds -L 20
# Texts forgotten on request; facts of two texts; dated sessions one after another (the trained method: hours).
also=hybrid,rerank,contextual,bm25+selfparam,lora-bank,cartridge-bank
play -m "${every/raptor,/},$also" -t deletion -L 20
play -m selfparam -t deletion -L 20 -T writes=one -M epochs=24  # where there is something to forget
play -m "${every/raptor,/},$also" -t composition -L 20
play -m raptor -t deletion,composition -L 20 -M budget=400
play -m bm25,dpr,hybrid -t composition -L 20 -M k=3
play -m bm25,dpr,hybrid,rerank,contextual,full-context,selfparam -t conversation -L 20
play -m raptor -t conversation -L 20 -M budget=400
# Drift along a sequence, with the generic text that anchors the model and without it.
play -m selfparam -t sequential -L 20 -T questions=1 -T drift=2
play -m selfparam -t sequential -L 20 -T questions=1 -T drift=2 -M generic=0

# Last, what needs data that do not come with membench: where a variable names them as --data does (docs/data.md), as in
# MEMBENCH_SQUAD=squad:FILE MEMBENCH_REDIAL=redial:FOLDER make reference.
given() { # NAME VALUE: whether there is a value; says so if not
  if [ -n "$2" ]; then return; fi
  echo "$1 is not set: what needs it is left out" >&2
  return 1
}
if given MEMBENCH_SQUAD "${MEMBENCH_SQUAD:-}"; then
  squad() { play --data "$MEMBENCH_SQUAD" -L 20 "$@"; }
  squad -m bm25,dpr,raptor,full-context,infllm,memoryllm -t single
  squad -m bm25,dpr,full-context,infllm,memoryllm -t batch
  squad -m raptor -t batch -M budget=400
  squad -m bm25,dpr,full-context,infllm,memoryllm -t sequential -T questions=1
  squad -m raptor -t sequential -T questions=1 -M budget=400
  # SQuAD has no target sentences of its own: recorded ones, about as many a context as worlds has (benchmarks/targets).
  recorded=(-M targets=recorded:benchmarks/targets/squad_dev_half1.jsonl -M pairs=8)
  squad -m selfparam,ft-s,cartridge -t single,batch "${recorded[@]}"
  squad -m selfparam,ft-s,cartridge -t sequential -T questions=1 "${recorded[@]}"
  for scope in all decode; do
    squad -m bm25+selfparam -t single,batch -M adapter_scope=$scope "${recorded[@]}"
    squad -m bm25+selfparam -t sequential -T questions=1 -M adapter_scope=$scope "${recorded[@]}"
  done
  squad -m lora-bank -t single,batch -M "of=selfparam ${recorded[1]} ${recorded[3]}"
  squad -m lora-bank -t sequential -T questions=1 -M "of=selfparam ${recorded[1]} ${recorded[3]}"
  squad -m hybrid,rerank,contextual -t single,batch
  squad -m hybrid,rerank,contextual -t sequential -T questions=1
  squad -m ft-c -t single,batch
  squad -m ft-c -t sequential -T questions=1
fi
if given MEMBENCH_REDIAL "${MEMBENCH_REDIAL:-}"; then
  play -m "${every/raptor,/}" -t recommendation --data "$MEMBENCH_REDIAL" -L 16 -T turns=20
  play -m raptor -t recommendation --data "$MEMBENCH_REDIAL" -L 16 -T turns=20 -M budget=400
fi
