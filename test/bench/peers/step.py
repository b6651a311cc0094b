"""The PyTorch peer of `npm run bench -- step`: training steps of a GPT on the processor, timed on command.

    python step.py '{"vocabulary": 16000, "width": 512, "depth": 6, "heads": 8, "context": 128, "rows": 64, "policy": "bf16", "threads": 2}'

Equal work: no biases, learned positions, tied output layer, exact GELU, causal scaled_dot_product_attention, mean cross-entropy over all tokens,
clipping at norm 1, AdamW (fused or not, whichever is faster here) with the same groups. Reads a number of steps per line from standard input, answers
with one line of JSON: seconds of each step, and the last loss.
"""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

spec = json.loads(sys.argv[1])
torch.set_num_threads(spec["threads"])
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (z.view(b, t, self.heads, d // self.heads).transpose(1, 2) for z in self.qkv(self.norm1(x)).split(d, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(spec["vocabulary"], spec["width"]), nn.Embedding(spec["context"], spec["width"])
        self.blocks = nn.ModuleList(Block(spec["width"], spec["heads"]) for _ in range(spec["depth"]))
        self.norm, self.head = nn.LayerNorm(spec["width"], bias=False), nn.Linear(spec["width"], spec["vocabulary"], bias=False)
        self.head.weight = self.tokens.weight
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)

    def forward(self, tokens, targets):
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())


net = Gpt()
groups = [
    {"params": [p for p in net.parameters() if p.dim() > 1], "weight_decay": 0.1},
    {"params": [p for p in net.parameters() if p.dim() <= 1], "weight_decay": 0.0},
]
data = [torch.randint(0, spec["vocabulary"], (spec["rows"], spec["context"] + 1)) for _ in range(4)]
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
