/** Search in a list of runs: words, and conditions on settings such as `depth=4`, `lr<=1e-3`, `tag:baseline`, `state:failed`. */
import type { RunRecord } from '../contract/runs.ts';

const CONDITION = /^([\w./]+)(<=|>=|!=|=|<|>|:)(.+)$/u;

/** What a search can say, for the help beside it. */
export const SEARCH_HELP: readonly (readonly [string, string])[] = [
  ['warm long', 'both words in the name, note, tags, state or id'],
  ['depth=4', 'a setting, by its whole name or the last part'],
  ['lr>1e-3 lr<=3e-3', 'a range; != for anything else'],
  ['bpb<2.5', 'the last value of a metric'],
  ['tag:baseline', 'runs with this tag'],
  ['state:failed', 'queued, running, finished, stopped or failed'],
  ['seed=2', 'the seed'],
];

/** A search with one more word, or without it. */
export function toggleWord(search: string, word: string): string {
  const words = search.split(/\s+/u).filter(Boolean);
  return (words.includes(word) ? words.filter((each) => each !== word) : [...words, word]).join(' ');
}

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

/** The seed; a setting or a metric by its full name or the last part of it, a setting first. */
function valueOf(run: RunRecord, field: string): unknown {
  if (field === 'seed') return run.seed;
  if (field in run.config) return run.config[field];
  if (field in run.summary) return run.summary[field];
  const name = Object.keys(run.config).find((key) => key.endsWith(`.${field}`));
  if (name !== undefined) return run.config[name];
  if (`val/${field}` in run.summary) return run.summary[`val/${field}`];
  const metric = Object.keys(run.summary).find((key) => key.endsWith(`/${field}`));
  return metric === undefined ? undefined : run.summary[metric];
}
