/**
 * TensorBoard: the event files of a folder are one run, in the order of their names. Scalars (of TensorFlow, PyTorch and JAX), hyperparameters, and
 * configurations that were written as text; hyperparameters that PyTorch writes into a folder of their own belong to the run above.
 */
import { parseLooseJson } from '../../../../preload/shared/looseJson.ts';
import { ByteSource } from '../../exchange/encodings/byteSource.ts';
import { ProtoError, ProtoReader } from '../../exchange/encodings/protoReader.ts';
import {
  END,
  EVENT,
  HPARAMS,
  MAP,
  METADATA,
  NUMBERS,
  PLUGIN,
  START,
  STATUS,
  STRUCT,
  SUMMARY,
  TENSOR,
  VALUE,
} from '../../exchange/encodings/tensorboardMessages.ts';
import { readTfRecords } from '../../exchange/encodings/tfRecordReader.ts';
import type { RunState } from '../../../../preload/contract/runs.ts';
import type { ImportFile } from '../files.ts';
import { defineImport } from '../importKind.ts';
import type { Source } from '../importKind.ts';
import type { Receiver, RunReceiver } from '../receiver.ts';
import { isFields, settingOf } from '../values.ts';
import { folderOf } from './folders.ts';

const FILE = /(?:^|\/)[^/]*\.?tfevents\.[^/]*$/u;
/** `1700000000.1234567`: where PyTorch's add_hparams writes what it is given. */
const HPARAMS_FOLDER = /(?:^|\/)\d{10}\.\d+$/u;
/** As Sweeplab names its files. */
const OURS = /tfevents\.\d+\.sweeplab\.0\.([^/]+)$/u;
const TURN = 500;

export const tensorboard = defineImport({
  name: 'tensorboard',
  label: 'TensorBoard event files',
  help: 'A run for each folder of event files: scalars, hyperparameters, and configurations written as text.',
  claims: ({ path, name }) => FILE.test(path) || /tfevents/u.test(name),
  unit: (path, paths) => {
    if (!FILE.test(path)) return undefined;
    const folder = folderOf(path);
    const above = folderOf(folder);
    return HPARAMS_FOLDER.test(folder) && hasEvents(above, paths) ? above : folder;
  },
  async read(source, to) {
    const run = to.run('');
    const [, ours] = OURS.exec(source.files[0]!.path) ?? [];
    run.says({
      name: source.name.split('/').at(-1)!,
      names: [source.name],
      ...(ours === undefined ? {} : { sweeplabId: ours }),
    });
    const events = new Events(run, to, ours === undefined);
    for (const file of inOrder(source)) await events.read(file);
    events.end();
  },
});

const known = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

function hasEvents(folder: string, paths: ReadonlySet<string>): boolean {
  let folders = known.get(paths);
  if (folders === undefined)
    known.set(paths, (folders = new Set([...paths].filter((path) => FILE.test(path)).map(folderOf))));
  return folders.has(folder);
}

/** A later file goes on with the run of an earlier one. */
const inOrder = ({ files }: Source): readonly ImportFile[] =>
  files.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
const nameOf = ({ path }: ImportFile): string => path.slice(path.lastIndexOf('/') + 1);

const STATES = new Map(Object.entries(STATUS).map(([state, number]) => [number, state as RunState]));

class Events {
  readonly #run: RunReceiver;
  readonly #to: Receiver;
  /** Whether the time since the begin becomes a metric. */
  readonly #clock: boolean;
  #where = '';
  #begun: number | undefined;
  #last = 0;
  #clockStep = -Infinity;
  #ended = false;

  constructor(run: RunReceiver, to: Receiver, clock: boolean) {
    this.#run = run;
    this.#to = to;
    this.#clock = clock;
  }

  async read(file: ImportFile): Promise<void> {
    const from = new ByteSource(file.bytes());
    let count = 0;
    try {
      const bad = (what: string, at: number): void => this.#to.note(what, `${file.path}, byte ${at}`);
      for await (const record of readTfRecords(from, bad)) {
        this.#where = `${file.path}, event ${++count}`;
        try {
          this.#event(new ProtoReader(record));
        } catch (error) {
          if (!(error instanceof ProtoError)) throw error;
          this.#to.note('records that are no event, left out', this.#where);
        }
        if (count % TURN === 0) await this.#to.flush();
      }
    } finally {
      await from.close();
    }
  }

  end(): void {
    if (this.#begun !== undefined && !this.#ended) this.#run.says({ endedAt: Math.round(this.#last * 1000) });
  }

  #event(from: ProtoReader): void {
    let time = 0;
    let step = 0;
    const summaries: ProtoReader[] = [];
    while (from.next()) {
      if (from.field === EVENT.wallTime) time = from.double();
      else if (from.field === EVENT.step) step = from.integer();
      else if (from.field === EVENT.summary) summaries.push(from.message());
    }
    const timed = time > 0 && time < 1e11;
    if (timed && this.#begun === undefined) {
      this.#begun = time;
      this.#run.says({ startedAt: Math.round(time * 1000) });
    }
    if (timed) this.#last = Math.max(this.#last, time);
    let scalars = 0;
    for (const summary of summaries)
      while (summary.next()) if (summary.field === SUMMARY.value) scalars += this.#value(summary.message(), step);
    if (scalars > 0 && timed && this.#clock && step > this.#clockStep) {
      this.#clockStep = step;
      this.#run.point('seconds', step, time - this.#begun!);
    }
  }

  /** @returns how many scalars */
  #value(from: ProtoReader, step: number): number {
    let tag = '';
    let simple: number | undefined;
    let tensor: ProtoReader | undefined;
    let plugin = '';
    let content: ProtoReader | undefined;
    while (from.next()) {
      if (from.field === VALUE.tag) tag = from.string();
      else if (from.field === VALUE.simple) simple = from.float();
      else if (from.field === VALUE.tensor) tensor = from.message();
      else if (from.field === VALUE.metadata) ({ plugin, content } = pluginOf(from.message()));
    }
    if (plugin === 'hparams') {
      if (content !== undefined) this.#hparams(content);
      return 0;
    }
    if (simple === undefined && tensor === undefined)
      this.#to.note(
        'values that are no numbers (pictures, histograms, sounds), left out',
        `${this.#where}, ${tag}`.slice(0, 300),
      );
    const value = simple ?? (tensor === undefined ? undefined : this.#tensor(tensor, tag, plugin));
    if (value === undefined) return 0;
    this.#run.point(tag, step, value);
    return 1;
  }

  /** A tensor of one number is a scalar; texts may be a configuration. */
  #tensor(from: ProtoReader, tag: string, plugin: string): number | undefined {
    let type = 0;
    let content: Uint8Array | undefined;
    const numbers: number[] = [];
    const texts: string[] = [];
    while (from.next()) {
      if (from.field === TENSOR.type) type = from.integer();
      else if (from.field === TENSOR.content) content = from.bytes();
      else if (from.field === TENSOR.float) numbers.push(...from.floats());
      else if (from.field === TENSOR.double) numbers.push(...from.doubles());
      else if (from.field === TENSOR.text && texts.length === 0) texts.push(from.string());
    }
    if (type === NUMBERS.text) {
      this.#text(tag, texts[0] ?? '');
      return undefined;
    }
    const inContent = content === undefined ? undefined : numberIn(content, type);
    if (inContent !== undefined) return inContent;
    if (numbers.length === 1) return numbers[0];
    this.#to.note(
      `values that are no numbers (${plugin || 'tensors'}), left out`,
      `${this.#where}, ${tag}`.slice(0, 300),
    );
    return undefined;
  }

  /** A configuration as JSON, or as the table that many scripts write: |param|value|. */
  #text(tag: string, text: string): void {
    const config = configIn(text);
    if (config !== undefined) this.#run.says({ config });
    else this.#to.note('texts, left out', `${this.#where}, ${tag}`.slice(0, 300));
  }

  #hparams(from: ProtoReader): void {
    while (from.next()) {
      if (from.field === HPARAMS.start) this.#start(from.message());
      else if (from.field === HPARAMS.end) this.#end(from.message());
    }
  }

  #start(from: ProtoReader): void {
    const config: Record<string, unknown> = {};
    while (from.next()) {
      if (from.field === START.time) this.#begin(from.double());
      if (from.field === START.group) this.#run.says({ environment: { group: from.string() } });
      if (from.field !== START.hparams) continue;
      const entry = from.message();
      let key = '';
      let value: unknown;
      while (entry.next()) {
        if (entry.field === MAP.key) key = entry.string();
        else if (entry.field === MAP.value) value = structOf(entry.message());
      }
      config[key] = value;
    }
    this.#run.says({ config });
  }

  #begin(seconds: number): void {
    if (!(seconds > 0 && seconds < 1e11)) return;
    this.#begun = seconds;
    this.#run.says({ startedAt: Math.round(seconds * 1000) });
  }

  #end(from: ProtoReader): void {
    while (from.next()) {
      if (from.field === END.status) {
        const state = STATES.get(from.integer());
        if (state === 'running') continue;
        if (state !== undefined) this.#run.says({ state, reason: `${state}, as the file says` });
      } else if (from.field === END.time) {
        this.#ended = true;
        this.#run.says({ endedAt: Math.round(from.double() * 1000) });
      }
    }
  }
}

function pluginOf(from: ProtoReader): { plugin: string; content: ProtoReader | undefined } {
  let plugin = '';
  let content: ProtoReader | undefined;
  while (from.next()) {
    if (from.field !== METADATA.plugin) continue;
    const data = from.message();
    while (data.next()) {
      if (data.field === PLUGIN.name) plugin = data.string();
      else if (data.field === PLUGIN.content) content = data.message();
    }
  }
  return { plugin, content };
}

function numberIn(bytes: Uint8Array, type: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === NUMBERS.float && bytes.length === 4) return view.getFloat32(0, true);
  if (type === NUMBERS.double && bytes.length === 8) return view.getFloat64(0, true);
  return undefined;
}

/** google.protobuf.Value, but for lists and objects. */
function structOf(from: ProtoReader): unknown {
  let value: unknown;
  while (from.next()) {
    if (from.field === STRUCT.number) value = from.double();
    else if (from.field === STRUCT.string) value = from.string();
    else if (from.field === STRUCT.boolean) value = from.boolean();
  }
  return value;
}

const ROW = /^\s*\|\s*([^|]+?)\s*\|\s*(.*?)\s*\|\s*$/u;

function configIn(text: string): Readonly<Record<string, unknown>> | undefined {
  const json = text.replaceAll(/^\s*(?:<pre>|```(?:json)?)|(?:<\/pre>|```)\s*$/gu, '').trim();
  if (json.startsWith('{'))
    try {
      const value = parseLooseJson(json);
      return isFields(value) ? value : undefined;
    } catch {
      return undefined;
    }
  const rows = text.split('\n').map((line) => ROW.exec(line));
  if (rows.length < 3 || rows[0] == null || !/^param/iu.test(rows[0][1]!)) return undefined;
  return Object.fromEntries(rows.slice(2).flatMap((row) => (row === null ? [] : [[row[1]!, settingOf(row[2])]])));
}
