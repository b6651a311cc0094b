"""The PyTorch peer of `npm run bench -- step`: training steps of a model's twin (models/) on the processor, timed on command.

    python step.py '{"kind": "gpt", "settings": {"model.width": 512, …}, "vocabulary": 16000, "rows": 64, "policy": "bf16", "threads": 2}'

Equal work: mean cross-entropy over all tokens, clipping at norm 1, AdamW (fused or not, whichever is faster here) with the same groups. Reads a
number of steps per line from standard input, answers with one line of JSON: seconds of each step, and the last loss.
"""
import json
import sys
import time
from importlib import import_module

sys.dont_write_bytecode = True

import torch

spec = json.loads(sys.argv[1])
torch.set_num_threads(spec["threads"])
torch.manual_seed(0)
context = spec["settings"]["model.context"]

net = import_module("models." + spec["kind"].replace("-", "_")).Model(spec["vocabulary"], spec["settings"])
groups = [
    {"params": [p for p in net.parameters() if p.dim() > 1], "weight_decay": 0.1},
    {"params": [p for p in net.parameters() if p.dim() <= 1], "weight_decay": 0.0},
]
data = [torch.randint(0, spec["vocabulary"], (spec["rows"], context + 1)) for _ in range(4)]
count = 0


def step(optimizer):
    global count
    batch = data[count % len(data)]
    count += 1
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=spec["policy"] == "bf16"):
        loss = net(batch[:, :-1], batch[:, 1:])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return time.perf_counter() - start, loss.item()


def candidates():
    for fused in (True, False):
        optimizer = torch.optim.AdamW(groups, lr=3e-4, betas=(0.9, 0.99), fused=fused)
        step(optimizer)
        yield min(step(optimizer)[0] for _ in range(2)), fused, optimizer


_, fused, optimizer = min(candidates(), key=lambda row: row[0])
parameters = sum(p.numel() for p in net.parameters())
print(json.dumps({"torch": torch.__version__, "parameters": parameters, "fused": fused}), flush=True)
for line in sys.stdin:
    rows = [step(optimizer) for _ in range(int(line))]
    print(json.dumps({"seconds": [row[0] for row in rows], "loss": rows[-1][1]}), flush=True)
