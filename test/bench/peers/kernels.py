"""The PyTorch peer of `npm run bench -- gemm` and `-- attention`: reads one JSON case per line, runs it once, answers the seconds. State is kept between runs of a case."""
import json
import sys
import time

import torch
import torch.nn.functional as F

cases = {}


def make(c):
    t = torch.bfloat16 if c["type"] == "bf16" else torch.float32
    kind = c["kind"]
    if kind == "gemm":
        a = torch.rand(c["k"], c["m"], dtype=t).T if c["ta"] else torch.rand(c["m"], c["k"], dtype=t)
        b = torch.rand(c["n"], c["k"], dtype=t).T if c["tb"] else torch.rand(c["k"], c["n"], dtype=t)
        return lambda: a @ b
    if kind in ("attention", "attention_backward"):
        x = [torch.rand(c["batch"], c["t"], c["heads"], c["d"], dtype=t).transpose(1, 2) for _ in range(3)]
        if kind == "attention":
            return lambda: F.scaled_dot_product_attention(*x, is_causal=True)
        for y in x:
            y.requires_grad_(True)
        out = F.scaled_dot_product_attention(*x, is_causal=True)
        g = torch.rand_like(out)
        return lambda: torch.autograd.grad(out, x, g, retain_graph=True)
    if kind in ("norm", "norm_backward"):
        x = torch.rand(c["rows"], c["n"], dtype=t)
        w = torch.ones(c["n"], dtype=t)
        if kind == "norm":
            return lambda: F.layer_norm(x, (c["n"],), w)
        x.requires_grad_(True)
        w.requires_grad_(True)
        y = F.layer_norm(x, (c["n"],), w)
        g = torch.rand_like(y)
        return lambda: torch.autograd.grad(y, (x, w), g, retain_graph=True)
    if kind in ("gelu", "gelu_backward"):
        x = torch.randn(c["n"], dtype=t)
        if kind == "gelu":
            return lambda: F.gelu(x)
        x.requires_grad_(True)
        y = F.gelu(x)
        g = torch.rand_like(y)
        return lambda: torch.autograd.grad(y, x, g, retain_graph=True)
    if kind == "adamw":
        p = torch.nn.Parameter(torch.rand(c["n"]))
        p.grad = torch.rand(c["n"])
        opt = torch.optim.AdamW([p], fused=True)
        return opt.step
    if kind == "cross_entropy":
        h = torch.rand(c["rows"], c["d"], dtype=t, requires_grad=True)
        w = torch.rand(c["vocabulary"], c["d"], dtype=t, requires_grad=True)
        y = torch.randint(0, c["vocabulary"], (c["rows"],))

        def run():
            h.grad = w.grad = None
            F.cross_entropy((h @ w.T).float(), y).backward()

        return run
    raise ValueError(kind)


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    c = json.loads(line)
    torch.set_num_threads(c["threads"])
    key = c["id"]
    if key not in cases:
        cases = {key: make(c)}
        cases[key]()
    t0 = time.perf_counter()
    cases[key]()
    print(json.dumps({"seconds": time.perf_counter() - t0}), flush=True)
