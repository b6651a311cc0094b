/**
 * W&B: a folder for each run as the client leaves it where there is no network, for `wandb sync`. Messages: wandb/proto/wandb_internal.proto;
 * of the keys of a record only those that the client needs.
 */
import type { RunRecord, RunState } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { numberCell } from '../../../preload/shared/csv.ts';
import { levelDbLog } from './encodings/levelDbLog.ts';
import {
  ENVIRONMENT,
  EXIT,
  FILES,
  HEADER,
  HISTORY,
  ITEM,
  OUTPUT,
  RECORD,
  RUN,
  TIME,
  UPDATE,
} from './encodings/wandbMessages.ts';
import { ProtoWriter } from './encodings/protobuf.ts';
import { defineExchange, wantedMetrics } from './exchange.ts';
import type { ExportFile, ExportJob } from './exchange.ts';
import { began } from './exportedRun.ts';
import { settingName } from './settingName.ts';
import { stepRows } from './stepRows.ts';

/** What the process would have ended with: 255 is the client's own for an interruption. A run without an end counts there as crashed. */
const EXIT_CODE: Readonly<Partial<Record<RunState, number>>> = { finished: 0, failed: 1, stopped: 255 };
/** Written for every row; a metric of that name, from an import, would be a second value of the same. */
const OWN = ['_step', '_runtime', '_timestamp'];
/** All that the lab knows of a run, beside what the client shows. */
const DETAILS = 'sweeplab.json';

export const wandb = defineExchange({
  name: 'wandb',
  label: 'W&B, a folder of offline runs',
  help: 'Every point of every metric, settings, summary, log, notes and tags of each run, grouped by setting: wandb sync FOLDER/offline-run-*.',
  extensions: ['zip'],
  options: ['metrics', 'settings'],
  *files(job) {
    for (const run of job.runs) {
      const folder = `offline-run-${stamp(began(run))}-${run.id}`;
      yield { path: `${folder}/run-${run.id}.wandb`, pieces: levelDbLog(records(job, run)) };
      yield details(folder, job, run);
    }
  },
});

/** `20261126_151730`, in UTC. */
const stamp = (time: number): string =>
  new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/gu, '').replace('T', '_');

function details(folder: string, job: ExportJob, run: RunRecord): ExportFile {
  // Where it lies here means nothing elsewhere.
  const { checkpoint: _, ...record } = run;
  const text = JSON.stringify({ ...record, sweep: job.sweepOf(run)?.name ?? null, setting: settingName(run) }, null, 2);
  return { path: `${folder}/files/${DETAILS}`, pieces: [`${text}\n`] };
}

/** Messages of type Record, each in the memory of the one before. */
function* records(job: ExportJob, run: RunRecord): Generator<Uint8Array> {
  const to = new ProtoWriter();
  let number = 0;
  const record = (field: number, fill: () => void): Uint8Array => {
    to.clear();
    to.integer(RECORD.number, ++number);
    to.message(field, fill);
    return to.written;
  };
  yield record(RECORD.header, () =>
    to.message(HEADER.version, () => {
      to.string(HEADER.producer, 'sweeplab');
      to.string(HEADER.least, '0.0.0');
    }),
  );
  yield record(RECORD.run, () => runInfo(to, job, run));
  yield record(RECORD.environment, () => {
    timestamp(to, ENVIRONMENT.started, began(run));
    to.string(ENVIRONMENT.program, 'sweeplab');
  });
  yield record(RECORD.files, () => to.message(FILES.item, () => to.string(FILES.path, DETAILS)));
  for (const { at, kind, message } of job.log(run.id))
    yield record(RECORD.output, () => {
      to.integer(OUTPUT.type, kind === 'log' ? OUTPUT.stdout : OUTPUT.stderr);
      timestamp(to, OUTPUT.time, at);
      to.string(OUTPUT.line, `${message}\n`);
    });
  const summary = new Summary(job, run);
  for (const fill of history(to, job, run, summary)) yield record(RECORD.history, fill);
  yield record(RECORD.summary, () => {
    for (const [key, json] of summary.entries) to.message(UPDATE, () => item(to, [key], json));
    to.message(UPDATE, () => item(to, ['_wandb', 'runtime'], String(Math.floor(summary.seconds))));
  });
  const code = EXIT_CODE[run.state];
  if (code === undefined) return;
  yield record(RECORD.exit, () => {
    to.integer(EXIT.code, code);
    to.integer(EXIT.runtime, Math.floor(summary.seconds));
  });
}

function runInfo(to: ProtoWriter, job: ExportJob, run: RunRecord): void {
  to.string(RUN.id, run.id);
  to.string(RUN.project, 'sweeplab');
  to.message(RUN.config, () => {
    for (const [key, value] of configOf(job, run))
      to.message(UPDATE, () => {
        to.string(ITEM.key, key);
        to.string(ITEM.json, JSON.stringify(value));
      });
  });
  to.string(RUN.group, settingName(run));
  to.string(RUN.job, 'train');
  to.string(RUN.name, run.name);
  if (run.note !== '') to.string(RUN.notes, run.note);
  for (const tag of run.tags) to.string(RUN.tag, tag);
  timestamp(to, RUN.started, began(run));
  // No sweep id: a server refuses a run of a sweep that it did not make (wandb/wandb#8115). It stands in the configuration.
}

/** Settings by their sections, as W&B wants names with dots, and where the run comes from. */
function configOf({ settings, sweepOf }: ExportJob, run: RunRecord): [string, unknown][] {
  const sweep = sweepOf(run);
  const { id, state, endReason, stopCause, codeVersion, parameters, seed } = run;
  const about = {
    run: id,
    sweep: sweep === undefined ? null : { id: sweep.id, name: sweep.name },
    setting: settingName(run),
    state,
    reason: endReason,
    cause: stopCause,
    code: codeVersion,
    parameters,
  };
  return [...Object.entries(nested({ seed, ...run.config }, settings)), ['sweeplab', about]];
}

/** `{ 'model.depth': 2 }` → `{ model: { depth: 2 } }`; a name that is also a section, or that JavaScript knows, stays whole. */
export function nested(config: Config, names: readonly string[]): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  const known = new Set(names);
  for (const name of names) {
    const value = Object.hasOwn(config, name) ? config[name] : undefined;
    if (value === undefined) continue;
    const parts = name.split('.');
    const sections = parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('.'));
    const whole = sections.some((section) => known.has(section)) || parts.some((part) => part === '' || part in {});
    const [leaf, ...above] = whole ? [name] : parts.toReversed();
    let branch = tree;
    for (const part of above.toReversed()) branch = (branch[part] ??= {}) as Record<string, unknown>;
    branch[leaf] = value;
  }
  return tree;
}

/** The last value of every metric, and what the run says of itself beside them. */
class Summary {
  readonly #entries = new Map<string, string>();
  seconds = 0;

  constructor({ metrics }: ExportJob, { summary }: RunRecord) {
    for (const [name, value] of Object.entries(summary))
      if (value !== null && (metrics?.includes(name) ?? true)) this.set(name, numberCell(value));
  }

  set(name: string, json: string): void {
    this.#entries.set(name, json);
  }

  get entries(): Iterable<readonly [string, string]> {
    return this.#entries;
  }
}

/** What fills the record of each step. */
function* history(to: ProtoWriter, job: ExportJob, run: RunRecord, summary: Summary): Generator<() => void> {
  const names = wantedMetrics(job, run.id).filter((name) => !OWN.includes(name));
  const utf8 = new TextEncoder();
  const [stepKey, runtimeKey, timestampKey, ...keys] = [...OWN, ...names].map((name) => utf8.encode(name));
  const last: (number | undefined)[] = names.map(() => undefined);
  const put = (key: Uint8Array, value: number): void =>
    to.message(HISTORY.item, () => {
      to.bytes(ITEM.nested, key);
      to.string(ITEM.json, numberCell(value));
    });
  let step = -Infinity;
  for (const row of stepRows(job, run.id, names)) {
    // Whole, and each later than the one before: what lies behind is thrown away there.
    step = Math.max(Math.round(row.step), step + 1);
    const time = began(run) / 1000 + row.seconds;
    yield () => {
      for (let i = 0; i < row.count; i++) put(keys[row.metric[i]], row.value[i]);
      put(stepKey, step);
      put(runtimeKey, row.seconds);
      put(timestampKey, time);
      to.message(HISTORY.step, () => to.integer(HISTORY.number, step));
    };
    for (let i = 0; i < row.count; i++) last[row.metric[i]] = row.value[i];
    summary.seconds = row.seconds;
  }
  for (const [i, value] of last.entries()) if (value !== undefined) summary.set(names[i], numberCell(value));
  if (step === -Infinity) return;
  summary.set('_step', String(step));
  summary.set('_runtime', numberCell(summary.seconds));
  summary.set('_timestamp', numberCell(began(run) / 1000 + summary.seconds));
}

function item(to: ProtoWriter, path: readonly string[], json: string): void {
  for (const part of path) to.string(ITEM.nested, part);
  to.string(ITEM.json, json);
}

/** @param time milliseconds since 1970 */
function timestamp(to: ProtoWriter, field: number, time: number): void {
  to.message(field, () => {
    to.integer(TIME.seconds, Math.floor(time / 1000));
    to.integer(TIME.nanoseconds, Math.floor(time % 1000) * 1_000_000);
  });
}
