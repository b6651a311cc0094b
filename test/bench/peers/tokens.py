"""The peers of `npm run bench -- tokenize`: tiktoken and tokenizers with the same tokens and the same rule for pieces, one thread each.

    python tokens.py '{"spec": "FILE"}'

The file holds `{"tokens": ["IQ==", …], "merges": [[32, 116], …], "pattern": "…", "text": "FILE"}`. `tokens`: the bytes of each id in base64, "" where it has none. Reads `tiktoken` or `tokenizers` per line, answers with one line of JSON: seconds of
the processor, and the ids as base64 of 32 bits each.
"""
import base64
import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import numpy as np
import tiktoken
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

spec = json.load(open(json.loads(sys.argv[1])["spec"]))
tokens = [base64.b64decode(token) for token in spec["tokens"]]
text = open(spec["text"], encoding="utf8", newline="").read()
# tokenizers counts in characters of the whole string, and slows down with its length: neither is given all at once.
pieces = []
at = 0
while at < len(text):
    end = text.find("\n", at + 100_000)
    # Every rule cuts at a line's end that stands alone between two signs.
    while 0 <= end < len(text) - 1 and not ("!" <= text[end - 1] <= "~" and "!" <= text[end + 1] <= "~"):
        end = text.find("\n", end + 1)
    end = len(text) if end < 0 else end + 1
    pieces.append(text[at:end])
    at = end

ranks = {token: i for i, token in enumerate(tokens) if token}
tik = tiktoken.Encoding("peer", pat_str=spec["pattern"], mergeable_ranks=ranks, special_tokens={})

visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
hidden = [byte for byte in range(256) if byte not in visible]
names = {byte: chr(byte) for byte in visible} | {byte: chr(256 + i) for i, byte in enumerate(hidden)}
spelt = lambda token: "".join(names[byte] for byte in token)
hf = Tokenizer(
    models.BPE(
        vocab={spelt(token): i for token, i in ranks.items()},
        merges=[(spelt(tokens[a]), spelt(tokens[b])) for a, b in spec["merges"]],
    )
)
hf.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Split(Regex(spec["pattern"]), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
)
ENCODE = {
    "tiktoken": lambda document: tik.encode_ordinary(document),
    "tokenizers": lambda document: hf.encode(document, add_special_tokens=False).ids,
}

print(json.dumps({"tiktoken": tiktoken.__version__, "tokenizers": __import__("tokenizers").__version__}), flush=True)
for line in sys.stdin:
    encode = ENCODE[line.strip()]
    begun = time.process_time()
    ids = [encode(document) for document in pieces]
    seconds = time.process_time() - begun
    flat = np.fromiter((id for each in ids for id in each), dtype=np.int32)
    print(json.dumps({"seconds": seconds, "ids": base64.b64encode(flat.tobytes()).decode()}), flush=True)
