/**
 * `file_stream`: rows, system measurements, log lines and the summary of a run, as they come. Each stream counts its lines, so that a batch
 * that is sent again, or overlaps, adds nothing twice.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseLooseJson } from '../../../preload/shared/looseJson.ts';
import type { OutsideLine, OutsideRow } from '../../lab/outside/outsideRun.ts';
import type { OutsideRuns } from '../../lab/outside/outsideRuns.ts';
import { Refusal } from './body.ts';
import { type Feed, feedOf } from './runs.ts';
import type { KnownRun, WandbRuns } from './runs.ts';
import { countOf, type Fields, isFields } from './values.ts';

const HISTORY = 'wandb-history.jsonl';
const EVENTS = 'wandb-events.jsonl';
const SUMMARY = 'wandb-summary.json';
const OUTPUT = 'output.log';
/** Its clock may be a little off. */
const SAME_MS = 60_000;

/** Lines of one stream from `offset` on. */
interface Chunk {
  readonly offset: number;
  readonly lines: readonly string[];
}
const NOTHING: Chunk = { offset: 0, lines: [] };

/** Points that are written at once: between pieces of a large batch the lab does what else it has to do. */
const PIECE_POINTS = 10_000;
/** Lines are read for so long before others have their turn. */
const READ_MS = 8;
/** Lines between two looks at the clock. */
const LOOK_LINES = 16;

/**
 * Takes a batch; resolves when it is durable. It is read whole before any of it is taken; what is large is written in pieces, each with how far
 * the run was received by it, so that a kill in between loses and doubles nothing. One batch of a run at a time.
 *
 * @throws Refusal: nothing of it is taken then. @throws StoreError: it may be sent again
 */
export async function takeFileStream(
  runs: OutsideRuns,
  wandb: WandbRuns,
  known: KnownRun,
  body: Fields,
): Promise<void> {
  const { run, source } = known;
  const files = body.files === undefined || body.files === null ? {} : body.files;
  if (!isFields(files)) throw new Refusal(400, 'files is not an object');
  const before = feedOf(run);
  const history = fresh(chunkOf(files[HISTORY], HISTORY), before.history);
  const events = fresh(chunkOf(files[EVENTS], EVENTS), before.events);
  const output = chunkOf(files[OUTPUT], OUTPUT);
  const rows = await rowsOf(history);
  const system = (await rowsOf(events)).map(systemOf);
  const [summary] = await rowsOf({ offset: 0, lines: chunkOf(files[SUMMARY], SUMMARY).lines.slice(-1) });
  const complete = body.complete === true;
  const { lines, newest } = logOf(output, before, complete);
  const last = rows.at(-1);
  const feed: Feed = {
    history: Math.max(before.history, history.offset + history.lines.length),
    events: Math.max(before.events, events.offset + events.lines.length),
    output: Math.max(before.output, output.offset + output.lines.length),
    ...(newest === undefined ? {} : { newest }),
    ...(last === undefined
      ? optionalLast(before)
      : {
          last: {
            step: numberOr0(last._step),
            runtime: numberOr0(last._runtime),
            timestamp: numberOr0(last._timestamp),
          },
        }),
  };
  runs.resume(run);
  if (before.history === 0 && rows[0] !== undefined) correctBegin(known, rows[0]);
  const given = rows.map((row, i): OutsideRow => ({
    step: typeof row._step === 'number' ? row._step : history.offset + i,
    ...(typeof row._runtime === 'number' ? { seconds: row._runtime } : {}),
    values: row,
  }));
  const piece = Math.max(1, Math.floor(PIECE_POINTS / Math.max(1, Object.keys(rows[0] ?? {}).length)));
  try {
    let written = 0;
    for (; given.length - written > piece; written += piece) {
      const upTo = written + piece;
      await run.add({ rows: given.slice(written, upTo), feed: { ...before, history: history.offset + upTo } });
    }
    await run.add({
      rows: given.slice(written),
      system,
      // What a program prints that the lab has started, the lab hears itself.
      lines: run.record.origin === 'program' ? [] : lines,
      ...(summary === undefined ? {} : { summary: summaryOf(summary, feed) }),
      feed,
    });
  } catch (error) {
    runs.forget(source);
    throw error;
  }
  if (complete) wandb.end(known, countOf(body.exitcode) ?? 1);
}

const numberOr0 = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const optionalLast = ({ last }: Feed): Pick<Feed, 'last'> => (last === undefined ? {} : { last });

/** @throws Refusal */
function chunkOf(given: unknown, name: string): Chunk {
  if (given === undefined || given === null) return NOTHING;
  if (!isFields(given) || !Array.isArray(given.content) || given.content.some((line) => typeof line !== 'string'))
    throw new Refusal(400, `${name} is not { offset, content: [lines] }`);
  const offset = countOf(given.offset ?? 0);
  if (offset === undefined) throw new Refusal(400, `${name}: offset is not a whole number from 0 on`);
  return { offset, lines: given.content as string[] };
}

/** What was not received before. */
function fresh({ offset, lines }: Chunk, received: number): Chunk {
  const known = Math.max(0, received - offset);
  return { offset: offset + Math.min(known, lines.length), lines: lines.slice(known) };
}

/** @throws Refusal for a line that is no object: the whole batch is refused, and nothing of it is taken */
async function rowsOf({ lines, offset }: Chunk): Promise<Fields[]> {
  const rows: Fields[] = [];
  let since = performance.now();
  for (const [i, line] of lines.entries()) {
    if (i % LOOK_LINES === 0 && performance.now() - since > READ_MS) {
      await nextTurn();
      since = performance.now();
    }
    rows.push(rowOf(line, offset + i));
  }
  return rows;
}

function rowOf(line: string, at: number): Fields {
  try {
    const value = parseLooseJson(line);
    if (isFields(value)) return value;
  } catch {
    // Said below.
  }
  throw new Refusal(400, `line ${at} is not a JSON object`);
}

/** `system.gpu.0.memory` → `gpu.0.memory` */
const systemOf = (row: Fields): Fields =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name.replace(/^system[./]/u, ''), value]));

/** The client's run time is the metric `seconds`, where the script has none of that name; of a row it is more exact. */
function summaryOf(summary: Fields, { last }: Feed): Fields {
  const runtime = last?.runtime ?? summary._runtime;
  return runtime === undefined || 'seconds' in summary ? summary : { ...summary, seconds: runtime };
}

/** A run that is sent later began earlier. */
function correctBegin({ run }: KnownRun, row: Fields): void {
  const { _timestamp: timestamp, _runtime: runtime } = row;
  const { startedAt } = run.record;
  if (typeof timestamp !== 'number' || typeof runtime !== 'number' || startedAt === null) return;
  const began = Math.round((timestamp - runtime) * 1000);
  if (began > 0 && began < startedAt - SAME_MS) run.describe({ startedAt: began });
}

const STAMP = /^(ERROR )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z? ?/u;

/** `ERROR 2026-11-27T10:00:00.000000 text`, as the client marks what went to standard error. */
function lineOf(text: string, now: number): Required<OutsideLine> {
  const [head = '', error, time] = STAMP.exec(text) ?? [];
  const at = time === undefined ? Number.NaN : Date.parse(`${time.slice(0, 23)}Z`);
  return {
    text: text.slice(head.length).replace(/\r?\n$/u, ''),
    at: Number.isFinite(at) ? at : now,
    stream: error === undefined ? 'stdout' : 'stderr',
  };
}

/** A progress bar writes its line again and again: the newest line is kept back until the next one begins. */
function logOf(
  { offset, lines }: Chunk,
  { output, newest }: Feed,
  complete: boolean,
): { readonly lines: readonly OutsideLine[]; readonly newest: Feed['newest'] } {
  const now = Date.now();
  // Only a line that was kept back can be written over.
  const from = Math.max(0, output - (newest === undefined ? 0 : 1) - offset);
  const come = lines.slice(from).map((text) => lineOf(text, now));
  const first = offset + from;
  const overwritten = newest === undefined || (come.length > 0 && first === output - 1);
  const all = [...(overwritten ? [] : [newest]), ...come];
  if (complete) return { lines: all, newest: undefined };
  return { lines: all.slice(0, -1), newest: all.at(-1) as Feed['newest'] };
}
