/** Did-you-mean: the nearest of a list of names. */
import { LIMITS } from '../../contract/limits.ts';

/** Names that other tools use for the same thing. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  learning_rate: 'optimizer.lr',
  max_lr: 'optimizer.lr',
  weight_decay: 'optimizer.weight_decay',
  wd: 'optimizer.weight_decay',
  grad_clip: 'optimizer.clip',
  max_grad_norm: 'optimizer.clip',
  batch_size: 'batch.sequences',
  total_batch_size: 'batch.sequences',
  micro_batch_size: 'batch.micro',
  device_batch_size: 'batch.micro',
  block_size: 'model.context',
  context_length: 'model.context',
  sequence_length: 'model.context',
  seq_len: 'model.context',
  max_seq_len: 'model.context',
  n_layer: 'model.depth',
  n_layers: 'model.depth',
  num_layers: 'model.depth',
  layers: 'model.depth',
  n_embd: 'model.width',
  d_model: 'model.width',
  hidden_size: 'model.width',
  n_head: 'model.heads',
  n_heads: 'model.heads',
  num_heads: 'model.heads',
  n_kv_head: 'model.kv_heads',
  vocab_size: 'tokenizer.vocabulary',
  epochs: 'stop.epochs',
  max_epochs: 'stop.epochs',
  max_steps: 'stop.steps',
  num_iterations: 'stop.steps',
  max_tokens: 'stop.tokens',
  max_time_seconds: 'stop.seconds',
  scheduler: 'schedule.kind',
  warmup: 'schedule.warmup_steps',
  dataset: 'data.corpus',
  eval_interval: 'eval.every_steps',
  eval_every: 'eval.every_steps',
  dtype: 'precision.policy',
};

/**
 * Damerau–Levenshtein distance (insert, delete, replace, swap neighbours), the optimal string alignment form. Infinity for one larger
 * than `most`, which is found without looking at the rest of the texts.
 */
export function editDistance(a: string, b: string, most = Infinity): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  let lastLeast = 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(last[j] + 1, row[j - 1] + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, before[j - 2] + 1);
      row[j] = edits;
      if (edits < least) least = edits;
    }
    // A swap reaches back two rows, so that both must be beyond it.
    if (least > most && lastLeast > most) return Infinity;
    lastLeast = least;
    before = last;
    last = row;
  }
  return last[b.length] <= most ? last[b.length] : Infinity;
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Edits per character of what was given, beyond which another name is not meant. */
const MOST_EDITS = 0.4;

/** Edits per character of `given` to another text; Infinity, without counting, where their lengths alone are too different. */
function apart(given: string, other: string, penalty = 0): number {
  const length = Math.max(given.length, 1);
  return (editDistance(given, other, MOST_EDITS * length) + penalty) / length;
}

/**
 * The candidate nearest to `given`, or undefined when none is near enough to be meant. Case, `-` for `_` and a missing or wrong
 * section (`width` for `model.width`) hardly count; names that other tools use for a setting are known. A text longer than any name has none.
 */
export function nearestName(given: string, candidates: Iterable<string>): string | undefined {
  // Nothing is called so: what was given is no name, and comparing it would take as long as it is.
  if (given.length > LIMITS.nameCharacters) return undefined;
  const wanted = given.trim().toLowerCase().replaceAll('-', '_');
  const list = [...candidates];
  if (list.includes(wanted)) return wanted;
  const known = Object.hasOwn(ELSEWHERE, lastPart(wanted)) ? ELSEWHERE[lastPart(wanted)] : undefined;
  if (known && list.includes(known)) return known;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of list) {
    const plain = candidate.toLowerCase().replaceAll('-', '_');
    const whole = apart(wanted, plain);
    // A name without its section, or under a wrong one, is compared by its last part, at the price of half an edit.
    const tail = plain.includes('.') ? apart(lastPart(wanted), lastPart(plain), 0.5) : Infinity;
    const distance = Math.min(whole, tail);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return bestDistance <= MOST_EDITS ? best : undefined;
}
