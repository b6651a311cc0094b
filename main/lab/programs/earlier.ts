/** What earlier runs of a script needed of the memory, as it was measured: nobody can plan what a program allocates. */
import type { Draft } from '../../../preload/contract/draft.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { EarlierMemory } from '../../../preload/contract/shapes.ts';
import type { Store } from '../../store/index.ts';

/** Runs that are looked at, the newest first. */
const MOST_RUNS = 500;
const MIB = 1 << 20;
/** Of the W&B client: each card by its number, those of the script's own process where it says. */
const CARD = /^system\/gpu\.(?:process\.)?\d+\.memoryAllocatedBytes$/u;

/** Metrics of the memory of a host, with what makes bytes of them: the lab's own, and the client's. */
const HOST: Readonly<Record<string, number>> = { 'system/memory': 1, 'system/proc.memory.rssMB': MIB };

/** `python -u src/train.py` → `train.py`. */
const scriptOf = ({ program, command }: Pick<Draft, 'program' | 'command'>): string | undefined => {
  const file = program ?? command?.map(String).find((part) => /\.\w{1,4}$/u.test(part) && !part.startsWith('-'));
  return file?.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1) || undefined;
};

/** The most that any earlier run of the script took; null where none was measured. */
export function earlierMemory(store: Store, draft: Pick<Draft, 'program' | 'command'>): EarlierMemory | null {
  const script = scriptOf(draft);
  if (script === undefined) return null;
  const runs = store
    .listRuns({
      where: [{ field: 'origin', op: '!=', value: 'sweeplab' }],
      order: { field: 'createdAt', descending: true },
      limit: MOST_RUNS,
    })
    .filter((run) => isOf(run, script));
  const found = runs.flatMap((run) => {
    const states = Object.entries(store.metricStates(run.id));
    const most = (factor: (name: string) => number): number =>
      states.reduce((sum, [name, { max }]) => Math.max(sum, (max ?? 0) * factor(name)), 0);
    const card = most((name) => (CARD.test(name) ? 1 : 0));
    const host = most((name) => HOST[name] ?? 0);
    return card === 0 && host === 0 ? [] : [{ run, card, host }];
  });
  if (found.length === 0) return null;
  const largest = (of: 'card' | 'host'): EarlierMemory['card'] => {
    const { run, ...bytes } = found.reduce((most, each) => (each[of] > most[of] ? each : most));
    return bytes[of] === 0 ? null : { bytes: bytes[of], run: run.id, name: run.name };
  };
  return { script, runs: found.length, card: largest('card'), host: largest('host') };
}

function isOf({ environment: { program, command } }: RunRecord, script: string): boolean {
  const names = `${String(program ?? '')} ${String(command ?? '')}`.split(/[\s/\\']+/u);
  return names.includes(script);
}
