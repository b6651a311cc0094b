/** `sweeplab queue`: which runs wait, in which order, and how many of a sweep train side by side. */
import { Command } from 'commander';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { isStartedHere, STARTED_HERE } from '../../../preload/shared/origin.ts';
import type { Store } from '../../store/index.ts';
import { readableLab, requireDatabase, writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { InputError } from '../errors.ts';
import { formatInteger, plural } from '../format.ts';
import { commandGroup } from '../group.ts';
import { wholeNumber } from '../numbers.ts';
import { renderTable } from '../table.ts';
import { findSweepOrLatest, resolveRuns } from './find.ts';

interface MoveOptions {
  readonly first?: boolean;
  readonly last?: boolean;
  readonly before?: string;
}

/** Rows that a terminal shows; `--json` has all. */
const SHOWN = 100;

export function queueCommand(context: Context): Command {
  const queue = commandGroup('queue', 'Show and change what trains next.');
  queue.addCommand(
    new Command('ls')
      .description('The runs that wait, in the order in which they will train.')
      .action(() => list(context)),
  );
  queue.addCommand(
    new Command('move')
      .description('Move runs that wait, in the order given.')
      .argument('<runs...>', 'ids, beginnings of ids, or names')
      .option('--first', 'before all others that wait')
      .option('--last', 'behind all')
      .option('--before <run>', 'before this one that waits')
      .action((names: string[], options: MoveOptions) => move(context, names, options)),
  );
  queue.addCommand(
    new Command('limit')
      .description('At most so many runs at a time while a run of this sweep trains.')
      .argument('<sweep>', 'id, name or `latest`')
      .argument('<n>', 'runs at a time, or none for no limit')
      .action((sweep: string, n: string) => limit(context, sweep, n)),
  );
  return queue;
}

async function list(context: Context): Promise<void> {
  const { output } = context;
  using lab = await readableLab(context);
  if (lab === undefined) {
    output.data({ running: [], waiting: [], paused: [] });
    output.text('Nothing waits: there are no runs yet. Start with: sweeplab start');
    return;
  }
  const { store } = lab;
  const running = store.listRuns({ state: 'running' });
  const { waiting, paused } = waitingRuns(store);
  output.data({ running: running.map(short), waiting: waiting.map(short), paused: paused.map(short) });
  const of = ({ sweepId }: RunRecord): string => {
    if (sweepId === null) return '·';
    const { name, concurrencyLimit } = store.getSweep(sweepId)!;
    return concurrencyLimit === null ? name : `${name} (at most ${concurrencyLimit} at a time)`;
  };
  const rows = [
    ...running.map((run) => ['trains', run.id, run.name, of(run)]),
    ...waiting.map((run, i) => [formatInteger(i + 1), run.id, run.name, of(run)]),
    ...paused.map((run) => ['paused', run.id, run.name, of(run)]),
  ];
  if (rows.length === 0) {
    output.text('Nothing waits and nothing trains.');
    return;
  }
  const columns = [
    { title: 'turn', align: 'right' as const },
    { title: 'id' },
    { title: 'name', free: true },
    { title: 'sweep', free: true },
  ];
  output.text(renderTable(output, columns, rows.slice(0, SHOWN)));
  if (rows.length > SHOWN) output.text(`… and ${formatInteger(rows.length - SHOWN)} more`);
  if (paused.length > 0)
    output.text(`${plural(paused.length, 'run')} of interrupted sweeps; go on with: sweeplab sweep --resume <sweep>`);
  if (store.queueSwitches().paused) output.text('The queue of the app is paused.');
}

const short = ({ id, name, sweepId }: RunRecord): Pick<RunRecord, 'id' | 'name' | 'sweepId'> => ({ id, name, sweepId });

/** In their order; those of sweeps that are paused apart, since nothing takes them before their sweep goes on. */
function waitingRuns(store: Store): { waiting: RunRecord[]; paused: RunRecord[] } {
  const own = store.listRuns({ state: 'queued' }).filter(isStartedHere);
  const queued = new Map(own.map((run) => [run.id, run]));
  const waiting = store.queuedIds({ origins: STARTED_HERE }).flatMap((id) => queued.get(id) ?? []);
  for (const { id } of waiting) queued.delete(id);
  return { waiting, paused: [...queued.values()] };
}

async function move(context: Context, names: readonly string[], options: MoveOptions): Promise<void> {
  const given = [options.first === true, options.last === true, options.before !== undefined].filter(Boolean).length;
  if (given !== 1) throw new InputError('say where to: one of --first, --last and --before <run>');
  await requireDatabase(context);
  using lab = await writableLab(context);
  const { store } = lab;
  const ids = resolveRuns(store, names).map(({ id }) => id);
  store.moveQueued(ids, whereTo(store, options, ids));
  const { waiting } = waitingRuns(store);
  context.output.data({ waiting: waiting.map(short) });
  const turn = waiting.findIndex(({ id }) => ids.includes(id)) + 1;
  context.output.text(
    turn === 0
      ? `Moved ${plural(ids.length, 'run')}; sweeps that are paused keep waiting.`
      : `Moved ${plural(ids.length, 'run')} to turn ${turn} of ${waiting.length}.`,
  );
}

function whereTo(store: Store, { last, before }: MoveOptions, ids: readonly string[]): string | null {
  if (before !== undefined) return store.resolveRun(before).id;
  if (last === true) return null;
  return store.queuedIds({ origins: STARTED_HERE }).find((id) => !ids.includes(id)) ?? null;
}

async function limit(context: Context, name: string, text: string): Promise<void> {
  const most = text === 'none' ? null : wholeNumber('the number of runs at a time (or none)', text, 1)!;
  await requireDatabase(context);
  using lab = await writableLab(context);
  const { id } = lab.store.updateSweep(findSweepOrLatest(lab.store, name).id, { concurrencyLimit: most });
  context.output.data({ sweep: id, limit: most });
  context.output.text(
    most === null ? `Sweep ${id} has no limit.` : `Sweep ${id}: at most ${plural(most, 'run')} at a time.`,
  );
}
