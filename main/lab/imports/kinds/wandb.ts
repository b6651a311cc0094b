/** W&B: the folder of a run as the client leaves it, online or offline, and our own export of the kind. All is read from its `.wandb` file. */
import { parseLooseJson } from '../../../../preload/shared/looseJson.ts';
import { visitNumbers } from '../../../../preload/shared/loggedNumbers.ts';
import { ByteSource } from '../../exchange/encodings/byteSource.ts';
import { isLevelDbLog, readLevelDbLog } from '../../exchange/encodings/levelDbLogReader.ts';
import { ProtoError, ProtoReader } from '../../exchange/encodings/protoReader.ts';
import {
  ENVIRONMENT,
  EXIT,
  GIT,
  HISTORY,
  ITEM,
  OUTPUT,
  RECORD,
  RUN,
  STATS,
  TIME,
  UPDATE,
} from '../../exchange/encodings/wandbMessages.ts';
import { endOf, takeExported } from '../../exchange/exportedRun.ts';
import { stemOf } from '../files.ts';
import type { ImportFile } from '../files.ts';
import { defineImport } from '../importKind.ts';
import type { Receiver, RunReceiver } from '../receiver.ts';
import { foldersWith } from './folders.ts';
import { NO_PROJECT, OWN_KEYS, wandbRunSource } from './wandbNames.ts';

const FILE = /(?:^|\/)[^/]+\.wandb$/u;
const folders = foldersWith(FILE);
/** What the client writes into the folder of a run; anything else there is read as what it is. */
const BESIDE = /^(?:files|logs|tmp)\/|\.wandb\.synced$/u;
/** Records that are read between two turns. */
const TURN = 500;

export const wandb = defineImport({
  name: 'wandb',
  label: 'W&B, folders of runs',
  help: 'The folder wandb/, or run folders in it: history, configuration, summary, system metrics, log, notes and tags.',
  claims: ({ head }) => isLevelDbLog(head),
  // Beside the file lies what it holds as well: configuration, summary, log.
  unit: (path, paths) => {
    const folder = folders(path, paths);
    if (folder === undefined) return undefined;
    const inside = folder === '' ? path : path.slice(folder.length + 1);
    return FILE.test(path) || BESIDE.test(inside) ? folder : undefined;
  },
  async read({ files }, to) {
    for (const file of files) if (FILE.test(file.path) || files.length === 1) await new RunFile(file, to).read();
  },
});

class RunFile {
  readonly #file: ImportFile;
  readonly #to: Receiver;
  readonly #id: string;
  #run: RunReceiver;
  #project = NO_PROJECT;
  #config: Record<string, unknown> = {};
  #ended: number | undefined;
  #begun: number | undefined;
  #seconds = 0;
  #lastStep = -1;
  /** System measurements since that step. */
  #between = 0;
  #rows = 0;
  /** Pieces of lines that are not ended, by stream. */
  #open: [string, string] = ['', ''];
  #said = false;

  constructor(file: ImportFile, to: Receiver) {
    this.#file = file;
    this.#to = to;
    this.#id = stemOf(file.path).replace(/^run-/u, '');
    this.#run = to.run(this.#id);
  }

  async read(): Promise<void> {
    const from = new ByteSource(this.#file.bytes());
    let count = 0;
    try {
      for await (const record of readLevelDbLog(from, (what, at) => this.#note(what, `byte ${at}`))) {
        count++;
        try {
          this.#record(new ProtoReader(record));
        } catch (error) {
          if (!(error instanceof ProtoError)) throw error;
          this.#note('records that are no message of W&B, left out', `record ${count}`);
        }
        if (count % TURN === 0) await this.#to.flush();
      }
    } finally {
      await from.close();
    }
    // Of a file that holds nothing, nothing is said, not even that it failed.
    if (count > 0) this.#end();
  }

  #note(what: string, where: string): void {
    this.#to.note(what, `${this.#file.path}, ${where}`);
  }

  #record(from: ProtoReader): void {
    while (from.next()) {
      if (from.field === RECORD.history) this.#history(from.message());
      else if (from.field === RECORD.stats) this.#stats(from.message());
      else if (from.field === RECORD.output) this.#output(from.message());
      else if (from.field === RECORD.summary) this.#summary(from.message());
      else if (from.field === RECORD.config) this.#configure(from.message());
      else if (from.field === RECORD.run) this.#about(from.message());
      else if (from.field === RECORD.exit) this.#exit(from.message());
      else if (from.field === RECORD.environment) this.#environment(from.message());
    }
  }

  #about(from: ProtoReader): void {
    const found: Record<string, string> = {};
    const tags: string[] = [];
    const names: Readonly<Record<number, string>> = {
      [RUN.id]: 'id',
      [RUN.project]: 'project',
      [RUN.group]: 'group',
      [RUN.job]: 'job_type',
      [RUN.name]: 'name',
      [RUN.notes]: 'notes',
      [RUN.sweep]: 'sweep',
      [RUN.host]: 'host',
    };
    while (from.next()) {
      if (from.field === RUN.config) this.#configure(from.message());
      else if (from.field === RUN.tag) tags.push(from.string());
      else if (from.field === RUN.started) this.#begun = timeOf(from.message());
      else if (from.field === RUN.git) this.#git(from.message());
      else if (names[from.field] !== undefined) found[names[from.field]!] = from.string();
    }
    this.#said = true;
    this.#project = found.project || NO_PROJECT;
    const id = found.id || this.#id;
    const { group, host, job_type, sweep } = found;
    this.#run.says({
      name: found.name || id,
      ...(found.notes === undefined ? {} : { note: found.notes }),
      tags,
      names: [id],
      identity: `wandb/${this.#project}/${id}`,
      reportedAs: wandbRunSource(this.#project, id),
      group:
        sweep === undefined
          ? { key: `wandb/${this.#project}`, name: this.#project }
          : { key: `wandb/${this.#project}/${sweep}`, name: `${this.#project} ${sweep}` },
      ...(this.#begun === undefined ? {} : { startedAt: this.#begun }),
      environment: {
        project: this.#project,
        wandb_run: id,
        ...(group === undefined ? {} : { group }),
        ...(host === undefined ? {} : { host }),
        ...(job_type === undefined ? {} : { job_type }),
      },
    });
  }

  #git(from: ProtoReader): void {
    while (from.next()) {
      if (from.field === GIT.commit) this.#run.says({ codeVersion: from.string() });
      else if (from.field === GIT.remote) this.#run.says({ environment: { repository: from.string() } });
    }
  }

  #environment(from: ProtoReader): void {
    while (from.next()) {
      if (from.field === ENVIRONMENT.program) this.#run.says({ environment: { program: from.string() } });
      else if (from.field === ENVIRONMENT.host) this.#run.says({ environment: { host: from.string() } });
      else if (from.field === ENVIRONMENT.git) this.#git(from.message());
    }
  }

  /** Entries that replace those that are known. */
  #configure(from: ProtoReader): void {
    while (from.next()) {
      if (from.field !== UPDATE) continue;
      const { path, value } = this.#item(from.message());
      if (path.length === 0 || path[0] === '_wandb') continue;
      let branch = this.#config;
      for (const part of path.slice(0, -1)) {
        const next = Object.hasOwn(branch, part) ? branch[part] : undefined;
        branch = branch[part] = isPlain(next) ? next : {};
      }
      branch[path.at(-1)!] = value;
    }
  }

  /** `key`, or the parts of a nested one, and the value of its JSON. */
  #item(from: ProtoReader): { readonly path: readonly string[]; readonly value: unknown } {
    let key: string | undefined;
    const nested: string[] = [];
    let json = '';
    while (from.next()) {
      if (from.field === ITEM.key) key = from.string();
      else if (from.field === ITEM.nested) nested.push(from.string());
      else if (from.field === ITEM.json) json = from.string();
    }
    const path = nested.length > 0 ? nested : key === undefined ? [] : [key];
    try {
      return { path, value: json === '' ? undefined : parseLooseJson(json) };
    } catch {
      this.#note('values that are no JSON, left out', path.join('.'));
      return { path, value: undefined };
    }
  }

  #history(from: ProtoReader): void {
    const row = new Map<string, unknown>();
    let step: number | undefined;
    while (from.next()) {
      if (from.field === HISTORY.item) {
        const { path, value } = this.#item(from.message());
        row.set(path.join('.'), value);
      } else if (from.field === HISTORY.step) {
        const message = from.message();
        while (message.next()) if (message.field === HISTORY.number) step = message.integer();
      }
    }
    const written = row.get('_step');
    const at = typeof written === 'number' ? written : (step ?? this.#rows);
    this.#rows++;
    if (!Number.isFinite(at)) return this.#note('rows whose step is no finite number, left out', `row ${this.#rows}`);
    this.#times(row);
    for (const [name, value] of row) {
      if (OWN_KEYS.includes(name)) continue;
      visitNumbers(value, name, {
        number: (metric, number) => this.#run.point(metric, at, number),
        other: (metric) => this.#note(`entries of ${metric} that are no numbers, left out`, `row ${this.#rows}`),
      });
    }
    const runtime = row.get('_runtime');
    // What Sweeplab has written has it as a metric, where the run has it.
    const ours = Object.hasOwn(this.#config, 'sweeplab');
    if (typeof runtime === 'number' && !row.has('seconds') && !ours) this.#run.point('seconds', at, runtime);
    if (at > this.#lastStep) {
      this.#lastStep = at;
      this.#between = 0;
    }
  }

  #times(row: ReadonlyMap<string, unknown>): void {
    const runtime = row.get('_runtime');
    const timestamp = row.get('_timestamp');
    if (typeof runtime === 'number' && Number.isFinite(runtime)) this.#seconds = Math.max(this.#seconds, runtime);
    if (this.#begun === undefined && typeof timestamp === 'number' && timestamp > 0 && typeof runtime === 'number')
      this.#begun = Math.round((timestamp - runtime) * 1000);
  }

  /** Between two steps there may be many: each stands a little further, and before the next step. */
  #stats(from: ProtoReader): void {
    this.#between++;
    const at = Math.max(0, this.#lastStep) + this.#between / (this.#between + 1);
    while (from.next()) {
      if (from.field !== STATS.item) continue;
      const { path, value } = this.#item(from.message());
      const name = path.join('.').replace(/^system[./]/u, '');
      if (typeof value === 'number' && !OWN_KEYS.includes(name)) this.#run.point(`system/${name}`, at, value);
    }
  }

  #summary(from: ProtoReader): void {
    const summary: Record<string, number> = {};
    while (from.next()) {
      if (from.field !== UPDATE) continue;
      const { path, value } = this.#item(from.message());
      if (path[0] === undefined || OWN_KEYS.includes(path[0])) continue;
      visitNumbers(value, path.join('.'), {
        number: (name, number) => void (summary[name] = number),
        other: () => undefined,
      });
    }
    this.#run.says({ summary });
  }

  /** What is printed comes in pieces; of a line that is written over again and again, the last counts. */
  #output(from: ProtoReader): void {
    let type: number = OUTPUT.stderr;
    let time: number | undefined;
    let text = '';
    while (from.next()) {
      if (from.field === OUTPUT.type) type = from.integer();
      else if (from.field === OUTPUT.time) time = timeOf(from.message());
      else if (from.field === OUTPUT.line) text = from.string();
    }
    const which = type === OUTPUT.stdout ? 1 : 0;
    const lines = `${this.#open[which]}${text}`.split('\n');
    this.#open[which] = lines.pop()!.slice(-100_000);
    for (const line of lines) this.#line(line, which, time);
  }

  #line(line: string, which: 0 | 1, time?: number): void {
    const shown = line.replace(/\r$/u, '');
    this.#run.line(shown.slice(shown.lastIndexOf('\r') + 1), time, which === 1 ? 'stdout' : 'stderr');
  }

  #exit(from: ProtoReader): void {
    this.#ended = 0;
    while (from.next()) {
      if (from.field === EXIT.code) this.#ended = from.integer();
      else if (from.field === EXIT.runtime) this.#seconds = Math.max(this.#seconds, from.integer());
    }
  }

  #end(): void {
    for (const which of [0, 1] as const) if (this.#open[which] !== '') this.#line(this.#open[which], which);
    if (!this.#said) this.#note('files without a record of the run: it is known by its file', 'whole file');
    const exported = takeExported(this.#config);
    const end =
      this.#ended === undefined && exported === undefined
        ? { state: 'failed' as const, reason: 'the file has no end: it crashed, or had not ended when it was read' }
        : endOf(this.#ended ?? 1, exported);
    this.#run.says({
      config: this.#config,
      ...end,
      ...(this.#begun === undefined
        ? {}
        : { startedAt: this.#begun, endedAt: this.#begun + Math.round(this.#seconds * 1000) }),
      ...(exported === undefined ? {} : { sweeplabId: exported.run, codeVersion: exported.code ?? '' }),
      ...(typeof exported?.parameters === 'number' ? { parameters: exported.parameters } : {}),
      ...(exported?.sweep == null
        ? {}
        : { group: { key: `sweeplab/${exported.sweep.id}`, name: exported.sweep.name } }),
    });
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Milliseconds since 1970. */
function timeOf(from: ProtoReader): number {
  let time = 0;
  while (from.next()) {
    if (from.field === TIME.seconds) time += from.integer() * 1000;
    else if (from.field === TIME.nanoseconds) time += from.integer() / 1e6;
  }
  return Math.round(time);
}
