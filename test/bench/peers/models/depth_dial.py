"""The twin of `depth-dial`, laid out as nanochat is; windows are masks, as nanochat's are where it has no kernel of its own for them."""
import torch
import torch.nn as nn
import torch.nn.functional as F

VALUE_GATE, SMEAR_GATE = 12, 24


def norm(x):
    return F.rms_norm(x, (x.shape[-1],))


def rotated(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], dim=-1)


class Block(nn.Module):
    def __init__(self, width, heads, size, mlp, table):
        super().__init__()
        self.heads, self.size = heads, size
        self.query, self.key, self.value = (nn.Linear(width, heads * size, bias=False) for _ in range(3))
        self.output = nn.Linear(heads * size, width, bias=False)
        self.up, self.down = nn.Linear(width, mlp, bias=False), nn.Linear(mlp, width, bias=False)
        self.table = None if table is None else nn.Embedding(table, heads * size)
        self.gate = None if table is None else nn.Linear(VALUE_GATE, heads, bias=False)
        self.own, self.first = nn.Parameter(torch.ones(1)), nn.Parameter(torch.full((1,), 0.1))
        for matrix in (self.output, self.down):
            nn.init.zeros_(matrix.weight)

    def forward(self, x, x0, tokens, turn, mask):
        b, t, _ = x.shape
        x = self.own * x + self.first * x0
        seen = norm(x)
        q, k, v = (part(seen).view(b, t, self.heads, self.size) for part in (self.query, self.key, self.value))
        if self.table is not None:
            gate = 3 * torch.sigmoid(self.gate(seen[..., :VALUE_GATE]))
            v = v + gate.unsqueeze(-1) * self.table(tokens).view_as(v).to(v.dtype)
        q, k = (1.2 * norm(rotated(z, *turn)) for z in (q, k))
        q, k, v = (z.transpose(1, 2).to(v.dtype) for z in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        x = x + self.output(mixed.transpose(1, 2).reshape(b, t, -1))
        return x + self.down(F.relu(self.up(norm(x))).square())


class Model(nn.Module):
    def __init__(self, vocabulary, settings):
        super().__init__()
        width, depth, heads, size, context = (
            settings[f"model.{name}"] for name in ("width", "depth", "heads", "head_size", "context")
        )
        self.softcap = settings["model.softcap"]
        self.tokens, self.head = nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary, bias=False)
        self.blocks = nn.ModuleList(
            Block(width, heads, size, 4 * width, vocabulary if layer % 2 == (depth - 1) % 2 else None) for layer in range(depth)
        )
        self.smear, self.smear_scale = nn.Linear(SMEAR_GATE, 1, bias=False), nn.Parameter(torch.zeros(1))
        self.backout = nn.Parameter(torch.full((1,), 0.2))
        nn.init.normal_(self.tokens.weight, std=0.8)
        nn.init.normal_(self.head.weight, std=0.001)
        angle = torch.outer(torch.arange(context), 100_000.0 ** (-torch.arange(0, size, 2) / size))[:, None, :]
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())
        at = torch.arange(context)
        back = at[:, None] - at[None, :]
        self.register_buffer("window", (back >= 0) & (back <= settings["attention.short_window"]))
        pattern = settings["attention.pattern"]
        self.short = [layer < depth - 1 and pattern[layer % len(pattern)] == "S" for layer in range(depth)]

    def forward(self, tokens, targets):
        x = norm(self.tokens(tokens))
        gate = self.smear_scale * torch.sigmoid(self.smear(x[:, 1:, :SMEAR_GATE]))
        x0 = x = torch.cat([x[:, :1], x[:, 1:] + gate * x[:, :-1]], dim=1)
        for layer, block in enumerate(self.blocks):
            x = block(x, x0, tokens, (self.cos, self.sin), self.window if self.short[layer] else None)
            if layer == len(self.blocks) // 2:
                middle = x
        logits = self.head(norm(x - self.backout * middle)).float()
        logits = self.softcap * torch.tanh(logits / self.softcap)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
