/** Search in a list of runs: words, and conditions on settings such as `depth=4`, `lr<=1e-3`, `tag:baseline`, `state:failed`. */
import type { RunRecord } from '../../../preload/contract/runs.ts';

const CONDITION = /^([\w./]+)(<=|>=|!=|=|<|>|:)(.+)$/u;

/** All words must match. */
export function matchesSearch(run: RunRecord, search: string): boolean {
  return search
    .toLowerCase()
    .split(/\s+/u)
    .filter(Boolean)
    .every((word) => {
      const condition = CONDITION.exec(word);
      return condition === null
        ? matchesWord(run, word)
        : matchesCondition(run, condition[1], condition[2], condition[3]);
    });
}

function matchesWord(run: RunRecord, word: string): boolean {
  return [run.id, run.name, run.note, run.state, ...run.tags].some((text) => text.toLowerCase().includes(word));
}

function matchesCondition(run: RunRecord, field: string, op: string, wanted: string): boolean {
  if (field === 'tag') return run.tags.some((tag) => tag.toLowerCase().includes(wanted));
  if (field === 'state') return run.state.startsWith(wanted);
  const value = valueOf(run, field);
  if (value === undefined || value === null) return false;
  const [a, b] = [Number(value), Number(wanted)];
  const numeric = typeof value === 'number' && !Number.isNaN(b);
  if (op === '=' || op === ':') return numeric ? a === b : String(value).toLowerCase() === wanted;
  if (op === '!=') return numeric ? a !== b : String(value).toLowerCase() !== wanted;
  if (!numeric) return false;
  return op === '<' ? a < b : op === '<=' ? a <= b : op === '>' ? a > b : a >= b;
}

/** A setting by its full name or the last part of it, the seed, or a metric. */
function valueOf(run: RunRecord, field: string): unknown {
  if (field === 'seed') return run.seed;
  if (field in run.config) return run.config[field];
  if (field in run.summary) return run.summary[field];
  const name = Object.keys(run.config).find((key) => key.endsWith(`.${field}`));
  return name === undefined ? undefined : run.config[name];
}
