/** Tells the rows of a table by what its columns hold. */
import type { RunEnvironment } from '../../../../preload/contract/runs.ts';
import type { Receiver, RunReceiver, RunSays } from '../receiver.ts';
import { isFields, isNameless, isNothing, listOf, numberOf, settingOf, timeOf } from '../values.ts';
import type { Cell } from '../values.ts';
import { chartColumn } from './layout.ts';
import type { Layout } from './layout.ts';
import { isConfigName, isParameterCount, isSummaryName, settingName } from './names.ts';
import type { Row, RowSource } from './rows.ts';
import { stateOf } from './states.ts';
import { RunTracker } from './tracker.ts';
import { parsePython } from '../python.ts';
import { stemOf } from '../files.ts';

/** What is known of a run while its rows come. */
interface Open {
  readonly to: RunReceiver;
  readonly told: Set<number>;
  rows: number;
  begin: number | undefined;
  end: number | undefined;
  /** The step at the begin, until a later time comes. */
  beginStep: number | undefined;
}

export interface TellOptions {
  /** Names of metrics in place of those of the columns. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Said of each run when its first row comes. */
  readonly begins?: (key: string) => RunSays;
  /** Says more of a run of a table with a row for each. */
  readonly more?: (cell: (column: string) => Cell) => RunSays;
}

/** Resolves when all rows are told. */
export async function tellRows(
  source: RowSource,
  layout: Layout,
  to: Receiver,
  options: TellOptions = {},
): Promise<void> {
  await new Telling(source, layout, to, options).all();
}

class Telling {
  readonly #source: RowSource;
  readonly #layout: Layout;
  readonly #to: Receiver;
  readonly #options: TellOptions;
  readonly #tracker: RunTracker;
  readonly #runs = new Map<string, Open>();
  readonly #names: readonly string[];

  constructor(source: RowSource, layout: Layout, to: Receiver, options: TellOptions) {
    this.#source = source;
    this.#layout = layout;
    this.#to = to;
    this.#options = options;
    this.#tracker = new RunTracker(layout.tracked);
    this.#names = layout.columns.map(({ name }) => options.rename?.[name] ?? name);
  }

  async all(): Promise<void> {
    const { shape, tracked } = this.#layout;
    const where = (line: number): string => `${this.#source.file.path}, line ${line}`;
    const rows = {
      steps: (row: Row) => this.#step(row),
      points: (row: Row) => this.#point(row),
      runs: (row: Row) => this.#run(row),
      charts: (row: Row) => this.#chart(row),
    };
    await this.#source.each({
      row: rows[shape],
      begins: (line) => {
        this.#tracker.begins();
        this.#to.note('names of columns that stand there once more', where(line));
      },
      bad: (what, line) => this.#to.note(what, where(line)),
      pause: () => this.#to.flush(),
    });
    if (shape === 'steps' && tracked.step === undefined)
      this.#to.note('files without a column of steps: their rows are counted from 0', this.#source.file.path);
    for (const { to, end } of this.#runs.values()) if (end !== undefined) to.says({ endedAt: end });
  }

  #open(key: string): Open {
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    const to = this.#to.run(key);
    const made: Open = { to, told: new Set(), rows: 0, begin: undefined, end: undefined, beginStep: undefined };
    this.#runs.set(key, made);
    to.says({ name: this.#nameOf(key), ...this.#options.begins?.(key) });
    return made;
  }

  /** Where no column says it: what tells the run from the others, or the name of the file. */
  #nameOf(key: string): string {
    const { tracked, shape } = this.#layout;
    if (shape === 'charts' || (tracked.runs.length > 0 && key !== '' && shape !== 'points')) return key;
    const named = tracked.runs.some((at) => this.#layout.roles[at] === 'run');
    const stem = stemOf(this.#source.file.path);
    return key === '' ? stem : named ? key : `${stem} ${key}`;
  }

  #note(what: string, { line }: Row): void {
    this.#to.note(what, `${this.#source.file.path}, line ${line}`);
  }

  #number(cell: Cell): number | undefined {
    return numberOf(cell, this.#source.decimalComma);
  }

  /** The step of a row; undefined where it has none that can be used. */
  #stepOf(row: Row, open: Open): number | undefined {
    const { step } = this.#layout.tracked;
    if (step === undefined) return open.rows;
    const cell = row.cells[step];
    const value = this.#number(cell);
    if (value !== undefined && Number.isFinite(value)) return value;
    if (!isNothing(cell)) this.#note('rows whose step is no finite number, without their metrics', row);
    return undefined;
  }

  #step(row: Row): void {
    const { roles } = this.#layout;
    const setsUp = row.cells.some(
      (cell, at) => cell !== undefined && settingName(this.#layout.columns[at]!.name) !== undefined,
    );
    const open = this.#open(this.#tracker.keyOf(row.cells, setsUp));
    const step = this.#stepOf(row, open);
    let lacks = false;
    for (let at = 0; at < row.cells.length && at < roles.length; at++) {
      const cell = row.cells[at];
      const role = roles[at];
      if (cell === undefined || role === 'step' || role === 'ignore' || isAbsent(role, cell)) continue;
      if (role !== 'metric' && role !== 'seconds' && role !== 'time') this.#say(open, at, cell);
      else if (role === 'time') this.#time(open, step, cell);
      else if (step === undefined) lacks ||= role === 'metric';
      else this.#value(open, role === 'seconds' ? 'seconds' : this.#names[at]!, step, cell, row);
    }
    if (lacks) this.#note('rows with metrics and without a step, left out', row);
    open.rows++;
  }

  #value({ to }: Open, metric: string, step: number, cell: Cell, row: Row): void {
    const value = this.#number(cell);
    if (value === undefined) this.#note(`values of ${metric} that are no numbers, left out`, row);
    else to.point(metric, step, value);
  }

  /** Where the file has no column of seconds, they follow from the times. */
  #time(open: Open, step: number | undefined, cell: Cell): void {
    const time = timeOf(cell);
    if (time === undefined) return;
    if (open.begin === undefined) {
      open.begin = time;
      open.beginStep = step;
      open.to.says({ startedAt: time });
    }
    open.end = Math.max(open.end ?? time, time);
    if (step === undefined || this.#layout.roles.includes('seconds') || time === open.begin) return;
    if (open.beginStep !== undefined && open.beginStep !== step) open.to.point('seconds', open.beginStep, 0);
    open.beginStep = undefined;
    open.to.point('seconds', step, (time - open.begin) / 1000);
  }

  #point(row: Row): void {
    const { roles } = this.#layout;
    const open = this.#open(this.#tracker.keyOf(row.cells));
    const step = this.#stepOf(row, open);
    let metric: string | undefined;
    let value: Cell;
    for (let at = 0; at < row.cells.length && at < roles.length; at++) {
      const cell = row.cells[at];
      const role = roles[at];
      if (cell === undefined || role === 'step' || role === 'ignore') continue;
      if (role === 'series') metric = String(cell);
      else if (role === 'value') value = cell;
      else if (role === 'time') this.#begin(open, cell);
      else this.#say(open, at, cell);
    }
    open.rows++;
    if (step === undefined || isNothing(value)) return;
    if (metric === undefined || metric.length > LONGEST_NAME)
      return this.#note('points without a name of at most 200 characters, left out', row);
    this.#value(open, metric, step, value, row);
  }

  #begin(open: Open, cell: Cell): void {
    const time = timeOf(cell);
    if (time === undefined) return;
    if (open.begin === undefined) open.to.says({ startedAt: time });
    open.begin ??= time;
    open.end = Math.max(open.end ?? time, time);
  }

  #run(row: Row): void {
    const { roles, tracked } = this.#layout;
    const name = this.#tracker.keyOf(row.cells) || 'row';
    let key = name;
    for (let i = 2; this.#runs.has(key); i++) key = `${name}#${i}`;
    const open = this.#open(key);
    const cell = (column: string): Cell =>
      row.cells[this.#layout.columns.findIndex(({ name: each }) => each === column)];
    const lists = roles.flatMap((role, at) => (role === 'metric' ? [listOf(row.cells[at])] : []));
    const steps = tracked.step === undefined ? undefined : listOf(row.cells[tracked.step]);
    for (let at = 0; at < row.cells.length && at < roles.length; at++) {
      const each = row.cells[at];
      if (each === undefined || roles[at] === 'ignore' || isAbsent(roles[at], each)) continue;
      if (roles[at] === 'metric') this.#curve(open, at, each, steps, row);
      else this.#say(open, at, each);
    }
    if (lists.some((list) => list !== undefined) && steps === undefined)
      this.#to.note(
        'curves without steps: their points are counted from 0',
        `${this.#source.file.path}, line ${row.line}`,
      );
    const more = this.#options.more?.(cell);
    if (more !== undefined) open.to.says(more);
    open.rows++;
  }

  #curve({ to }: Open, at: number, cell: Cell, steps: readonly number[] | undefined, row: Row): void {
    const name = this.#names[at]!;
    const values = listOf(cell);
    if (values === undefined) {
      const value = this.#number(cell);
      if (value === undefined) this.#note(`values of ${name} that are no numbers, left out`, row);
      else to.says({ summary: { [name]: value } });
      return;
    }
    if (steps !== undefined && steps.length !== values.length)
      return this.#note(`curves of ${name} with another number of values than steps, left out`, row);
    values.forEach((value, i) => to.point(name, steps?.[i] ?? i, value));
  }

  #chart(row: Row): void {
    const { roles, tracked } = this.#layout;
    const step = this.#stepOf(row, { rows: row.line - 2 } as Open);
    for (let at = 0; at < row.cells.length && at < roles.length; at++) {
      const cell = row.cells[at];
      if (roles[at] !== 'metric' || at === tracked.step || isNothing(cell)) continue;
      const { run, metric } = chartColumn(this.#layout.columns[at]!.name)!;
      const open = this.#open(run);
      open.rows++;
      if (step === undefined) return this.#note('rows with metrics and without a step, left out', row);
      this.#value(open, this.#options.rename?.[metric] ?? metric, step, cell, row);
    }
  }

  /** What a cell says of the run; of a column, the first of a run counts. */
  #say(open: Open, at: number, cell: Cell): void {
    if (open.told.has(at)) return;
    open.told.add(at);
    const name = this.#layout.columns[at]!.name;
    const says = this.#said(name, this.#layout.roles[at]!, cell);
    if (says !== undefined) open.to.says(says);
  }

  #said(name: string, role: string, cell: Cell): RunSays | undefined {
    const text = String(cell).trim();
    switch (role) {
      case 'seed':
        return { config: { seed: settingOf(cell) } };
      case 'setting':
      case 'about':
        if (isParameterCount(name)) return { parameters: this.#number(cell) };
        // What is no number has no value, as `csvWide.ts` and pandas write it.
        if (Number.isNaN(this.#number(cell))) return undefined;
        if (role === 'about') return { environment: { [name]: settingOf(cell) } as RunEnvironment };
        return settings(settingName(name) ?? name, settingOf(cell, this.#source.decimalComma));
      case 'run':
        return { names: [text], environment: { run: text } };
      case 'name':
        return { name: text, names: [text] };
      case 'group':
        return { group: { key: text, name: text } };
      case 'state':
        return stateOf(text);
      case 'note':
        return { note: text };
      case 'tags':
        return { tags: tagsOf(text) };
      case 'started':
        return { startedAt: timeOf(cell) };
      case 'ended':
        return { endedAt: timeOf(cell) };
      case 'time':
        return { startedAt: timeOf(cell) };
      case 'seconds':
      case 'final':
      case 'step': {
        const value = this.#number(cell);
        const metric = role === 'seconds' ? 'seconds' : (this.#options.rename?.[name] ?? name);
        return value === undefined ? undefined : { summary: { [metric]: value } };
      }
      default:
        return undefined;
    }
  }
}

const isAbsent = (role: string | undefined, cell: Cell): boolean =>
  role === 'run' || role === 'name' ? isNameless(cell) : isNothing(cell);

const LONGEST_NAME = 200;

const tagsOf = (text: string): readonly string[] =>
  text
    .replaceAll(/^[["']+|[\]"']+$/gu, '')
    .split(/["']?\s*,\s*["']?/u)
    .filter(Boolean);

/** `config` and `summary` of a table that pandas wrote hold an object of Python each. */
function settings(name: string, value: unknown): RunSays | undefined {
  if (typeof value !== 'string' || !value.startsWith('{') || !(isConfigName(name) || isSummaryName(name)))
    return { config: { [name]: value } };
  try {
    const tree = parsePython(value);
    if (!isFields(tree)) return { config: { [name]: value } };
    if (isConfigName(name)) return { config: tree };
    const numbers = Object.entries(tree).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
    return { summary: Object.fromEntries(numbers.filter(([key]) => !key.startsWith('_'))) };
  } catch {
    return { config: { [name]: value } };
  }
}
