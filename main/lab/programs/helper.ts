/** `sweeplab.py`: one file without dependencies with which a Python script reports to the lab. */

export const HELPER_NAME = 'sweeplab.py';

export const HELPER = `"""Reports numbers to Sweeplab. One file, nothing to install: put it beside your script.

    import sweeplab
    sweeplab.log(step, loss=2.5, **{"val/loss": 2.7})

Started by the lab (sweeplab run -- python train.py), the numbers go to its board; started by hand, they are
printed as lines of JSON, which the lab reads too: sweeplab import log.jsonl
"""
import json
import os
import time

#: Of this run.
SEED = int(os.environ.get("SWEEPLAB_SEED") or 1)
#: A folder of this run that stays over its starts: for checkpoints.
RUN_DIR = os.environ.get("SWEEPLAB_RUN_DIR") or "."
#: Whether the run goes on from where it was stopped.
RESUMING = bool(os.environ.get("SWEEPLAB_RESUME"))

_file = os.environ.get("SWEEPLAB_METRICS")
_begin = time.monotonic()


def _plain(value):
    """Tensors and numbers of NumPy as numbers of Python."""
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def log(step, **metrics):
    """Adds points at a step. Steps grow; NaN and infinities are kept."""
    row = {"step": _plain(step), "seconds": round(time.monotonic() - _begin, 3)}
    row.update((name, _plain(value)) for name, value in metrics.items())
    line = json.dumps(row)
    if _file:
        # In one piece, so that processes may write at once.
        with open(_file, "a", encoding="utf-8") as file:
            file.write(line + "\\n")
    else:
        print(line, flush=True)
`;
