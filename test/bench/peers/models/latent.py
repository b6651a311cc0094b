"""The twin of `latent`, laid out as hlb-gpt v0.4.1 is: one matrix into a block, one out of it, and the slope of distance as a mask that is added."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, width, query, expanded, depth):
        super().__init__()
        self.sizes = [query, query, expanded, expanded]
        self.width = width
        self.norm = nn.LayerNorm(width, bias=False)
        self.expand, self.project = nn.Linear(width, sum(self.sizes), bias=False), nn.Linear(expanded, width, bias=False)
        self.slope = nn.Parameter(torch.ones(1))
        nn.init.normal_(self.expand.weight, std=0.25 / width**0.5)
        nn.init.normal_(self.project.weight, std=0.5 / width**0.5 / depth)

    def forward(self, x, distance, causal):
        q, k, plain, gate = self.expand(self.norm(x)).split(self.sizes, dim=-1)
        gated = plain * F.gelu(gate)
        local, value = gated.split([gated.shape[-1] - self.width, self.width], dim=-1)
        mask = (F.softplus(self.slope) * distance + causal).to(q.dtype)
        mixed = F.scaled_dot_product_attention(q, k, value, attn_mask=mask)
        return x + self.project(torch.cat([local, mixed], dim=-1))


class Model(nn.Module):
    def __init__(self, vocabulary, settings):
        super().__init__()
        width, depth, context = (settings[f"model.{name}"] for name in ("width", "depth", "context"))
        query, expanded = width // settings["model.query_divisor"], width * settings["model.expand"]
        self.tokens = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, query, expanded, depth) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width, bias=False), nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.tokens.weight, std=0.25 / width**0.5)
        nn.init.normal_(self.head.weight, std=0.5 / width**0.5)
        at = torch.arange(context)
        self.register_buffer("distance", (at[None, :] - at[:, None]).float())
        self.register_buffer("causal", torch.full((context, context), float("-inf")).triu(1))

    def forward(self, tokens, targets):
        x = self.tokens(tokens)
        for block in self.blocks:
            x = block(x, self.distance, self.causal)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), targets.flatten())
