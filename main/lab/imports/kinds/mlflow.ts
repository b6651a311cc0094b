/** MLflow: the folder of its file store, `mlruns`, an experiment of it, or a run. Layout: mlflow/store/tracking/file_store.py. */
import { parse } from 'yaml';
import type { RunState } from '../../../../preload/contract/runs.ts';
import { STATUS } from '../../exchange/mlflow.ts';
import { ImportError } from '../errors.ts';
import { linesOf, textOf, wholeText } from '../files.ts';
import type { ImportFile } from '../files.ts';
import { defineImport } from '../importKind.ts';
import type { Receiver, RunReceiver } from '../receiver.ts';
import { isFields, numberOf, settingOf } from '../values.ts';
import type { Fields } from '../values.ts';
import { folderOf } from './folders.ts';

/** Bytes of a file that says one thing. */
const MOST = 4 << 20;
const PARTS = /^(metrics|params|tags)\/(.+)$/su;
/** Tags that say what the run is, and not what somebody has written. */
const KNOWN = /^mlflow\./u;

/** Folders of runs: those with a meta.yaml beside metrics, params or tags; and the folders of their experiments. */
interface Store {
  readonly runs: ReadonlySet<string>;
  readonly experiments: ReadonlySet<string>;
}

const known = new WeakMap<ReadonlySet<string>, Store>();

function storeOf(paths: ReadonlySet<string>): Store {
  const found = known.get(paths);
  if (found !== undefined) return found;
  const runs = new Set<string>();
  for (const path of paths) {
    const [, folder] = /^(?:(.*)\/)?(?:metrics|params|tags)\/[^/]/su.exec(path) ?? [];
    const run = folder ?? '';
    if (/(?:^|\/)(?:metrics|params|tags)\//u.test(path) && paths.has(run === '' ? 'meta.yaml' : `${run}/meta.yaml`))
      runs.add(run);
  }
  const made = { runs, experiments: new Set([...runs].map(folderOf)) };
  known.set(paths, made);
  return made;
}

/** The run that a file belongs to; undefined where it belongs to none. */
function runOf(path: string, runs: ReadonlySet<string>): string | undefined {
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    if (runs.has(folder)) return folder;
    if (folder === '') return undefined;
  }
}

export const mlflow = defineImport({
  name: 'mlflow',
  label: 'MLflow, folders of runs',
  help: 'The folder mlruns, an experiment or a run of it: metrics, parameters, tags, notes and states.',
  claims: () => false,
  unit: (path, paths) => {
    const { runs, experiments } = storeOf(paths);
    if (runs.size === 0) return undefined;
    const run = runOf(path, runs);
    if (run !== undefined) return folderOf(run);
    return path.endsWith('meta.yaml') && experiments.has(folderOf(path)) ? folderOf(path) : undefined;
  },
  async read({ files }, to) {
    const { runs, experiments } = storeOf(new Set(files.map(({ path }) => path)));
    const byRun = Map.groupBy(files, ({ path }) => runOf(path, runs));
    const meta = byRun.get(undefined)?.find(({ path }) => experiments.has(folderOf(path)));
    const experiment = meta === undefined ? {} : await metaOf(meta);
    for (const [folder, own] of byRun) if (folder !== undefined) await readRun(folder, own, experiment, to);
  },
});

/** @throws ImportError */
async function metaOf(file: ImportFile): Promise<Fields> {
  const text = await wholeText(file, MOST);
  try {
    const value: unknown = parse(text, { maxAliasCount: 0, logLevel: 'silent' });
    if (isFields(value)) return value;
  } catch {
    // Said below.
  }
  throw new ImportError(`${file.path} is no YAML with what MLflow says of a run`);
}

const STATES = new Map(Object.entries(STATUS).map(([state, number]) => [number, state as RunState]));
const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
const timeIn = (value: unknown): number | undefined => (typeof value === 'number' && value > 0 ? value : undefined);

async function readRun(folder: string, files: readonly ImportFile[], experiment: Fields, to: Receiver): Promise<void> {
  const metaFile = files.find(({ path }) => path === (folder === '' ? 'meta.yaml' : `${folder}/meta.yaml`))!;
  let meta: Fields;
  try {
    meta = await metaOf(metaFile);
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return to.note('runs whose meta.yaml cannot be read, left out', metaFile.path);
  }
  if (meta.lifecycle_stage === 'deleted') return to.note('runs that were deleted in MLflow, left out', folder);
  const id = textIn(meta.run_id) ?? textIn(meta.run_uuid) ?? folder;
  const run = to.run(id);
  const key = textIn(experiment.experiment_id) ?? textIn(meta.experiment_id) ?? folderOf(folder);
  const state = typeof meta.status === 'number' ? STATES.get(meta.status) : undefined;
  run.says({
    name: textIn(meta.run_name) || id,
    names: [id],
    identity: `mlflow/${id}`,
    group: { key: `mlflow/${key}`, name: textIn(experiment.name) ?? key },
    startedAt: timeIn(meta.start_time),
    endedAt: timeIn(meta.end_time),
    environment: { mlflow_run: id },
    ...(state === 'running' || state === 'queued'
      ? { state: 'stopped', reason: 'had not ended when it was read' }
      : state === undefined
        ? {}
        : { state, reason: `${state}, as MLflow says` }),
  });
  const tags: Record<string, string> = {};
  for (const file of files) {
    const inside = folder === '' ? file.path : file.path.slice(folder.length + 1);
    const [, part, name = ''] = PARTS.exec(inside) ?? [];
    if (part === 'metrics') await readMetric(file, name, run, to);
    else if (part === 'params') run.says({ config: { [name]: settingOf(await wholeText(file, MOST)) } });
    else if (part === 'tags') tags[name] = await wholeText(file, MOST);
    await to.flush();
  }
  tell(run, tags);
}

/** Lines `MILLISECONDS VALUE [STEP]`. */
async function readMetric(file: ImportFile, name: string, run: RunReceiver, to: Receiver): Promise<void> {
  const onLong = (line: number): void => to.note('lines that are too long, left out', `${file.path}, line ${line}`);
  for await (const { first, lines } of linesOf(textOf(file), onLong)) {
    lines.forEach((line, i) => {
      if (line.trim() === '') return;
      const [, value, step = '0'] = line.trim().split(/\s+/u);
      const at = numberOf(step);
      const number = numberOf(value);
      if (number === undefined || at === undefined || !Number.isFinite(at))
        to.note('lines of a metric that are no time, value and step, left out', `${file.path}, line ${first + i}`);
      else run.point(name, at, number);
    });
    await to.flush();
  }
}

/** What tags say of the run; those that Sweeplab wrote say how it was here. */
function tell(run: RunReceiver, tags: Readonly<Record<string, string>>): void {
  const { 'sweeplab.run': id, 'sweeplab.sweep': sweep, 'sweeplab.reason': reason } = tags;
  const [, sweepName, sweepId] = /^(.*) \(([^()]+)\)$/su.exec(sweep ?? '') ?? [];
  const own = Object.entries(tags).filter(([name]) => !KNOWN.test(name) && !name.startsWith('sweeplab.'));
  const labels = (tags['sweeplab.tags'] ?? '').split(', ').filter(Boolean);
  run.says({
    ...(tags['mlflow.note.content'] === undefined ? {} : { note: tags['mlflow.note.content'] }),
    ...(tags['mlflow.source.git.commit'] === undefined ? {} : { codeVersion: tags['mlflow.source.git.commit'] }),
    environment: Object.fromEntries(own.map(([name, value]) => [name, settingOf(value)])),
    ...(labels.length === 0 ? {} : { tags: labels }),
    ...(id === undefined ? {} : { sweeplabId: id }),
    ...(reason === undefined ? {} : { reason }),
    ...(sweepId === undefined ? {} : { group: { key: `sweeplab/${sweepId}`, name: sweepName! } }),
  });
}
