"""The other side of lm_eval_speed.py, in an environment that has lm-eval: a model's folder as argument.

Each line of standard input is a pass, {"prompts": [...], "batch": N, "stop": text, "tokens": N};
the answer is {"seconds": s, "answers": [...]}.
"""

from __future__ import annotations

import json
import sys
import time

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM


def main() -> None:
    answers_to, sys.stdout = sys.stdout, sys.stderr  # what the library prints is no answer
    model = HFLM(pretrained=sys.argv[1], dtype="float32", device="cpu", add_bos_token=False)
    print("ready", file=answers_to, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        model.batch_size_per_gpu = asked["batch"]
        form = {"until": [asked["stop"]], "max_gen_toks": asked["tokens"], "do_sample": False}
        requests = [
            Instance("generate_until", {}, (prompt, dict(form)), i) for i, prompt in enumerate(asked["prompts"])
        ]
        started = time.perf_counter()
        answers = model.generate_until(requests, disable_tqdm=True)
        print(json.dumps({"seconds": time.perf_counter() - started, "answers": answers}), file=answers_to, flush=True)


if __name__ == "__main__":
    main()
