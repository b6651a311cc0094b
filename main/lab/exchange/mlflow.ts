/**
 * MLflow: the folder that its file store keeps (`mlruns`): a sweep is an experiment. Layout and names: mlflow/store/tracking/file_store.py,
 * mlflow/utils/validation.py.
 */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { RunRecord, RunState, SweepRecord } from '../../../preload/contract/runs.ts';
import { numberCell } from '../../../preload/shared/csv.ts';
import { fileName } from '../../../preload/shared/fileName.ts';
import { defineExchange, wantedMetrics } from './exchange.ts';
import type { ExportFile, ExportJob, Piece } from './exchange.ts';
import { began, settingValue } from './exportedRun.ts';
import { settingName } from './settingName.ts';
import { stepRows } from './stepRows.ts';

/** mlflow.entities.RunStatus */
export const STATUS: Readonly<Record<RunState, number>> = { running: 1, queued: 2, finished: 3, failed: 4, stopped: 5 };
/** mlflow.entities.SourceType.LOCAL */
const LOCAL = 4;
/** The longest value of a parameter that it takes. */
const PARAMETER = 6000;

export const mlflow = defineExchange({
  name: 'mlflow',
  label: 'MLflow, a folder of runs',
  help: 'Every point of every metric, settings as parameters, notes and tags; a sweep is an experiment: mlflow ui --backend-store-uri FOLDER.',
  extensions: ['zip'],
  options: ['metrics', 'settings'],
  *files(job) {
    const known = new Set<string>();
    for (const run of job.runs) {
      const sweep = job.sweepOf(run);
      const experiment = experimentOf(sweep);
      if (!known.has(experiment))
        yield { path: `${experiment}/meta.yaml`, pieces: [experimentMeta(experiment, sweep)] };
      known.add(experiment);
      yield* runFiles(job, run, experiment);
    }
  },
});

const digits = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length);

/** Numbers as MLflow gives them: eighteen decimal digits. The same sweep is the same experiment in every export. */
const experimentOf = (sweep: SweepRecord | undefined): string =>
  String(10n ** 17n + (BigInt(`0x${digits(`sweep ${sweep?.id ?? ''}`, 15)}`) % (9n * 10n ** 17n)));

function experimentMeta(id: string, sweep: SweepRecord | undefined): string {
  const at = sweep?.createdAt ?? 0;
  return stringify({
    artifact_location: id,
    creation_time: at,
    experiment_id: id,
    last_update_time: at,
    lifecycle_stage: 'active',
    name: sweep === undefined ? 'Sweeplab, single runs' : `${sweep.name} · ${sweep.id}`,
  });
}

function* runFiles(job: ExportJob, run: RunRecord, experiment: string): Generator<ExportFile> {
  const id = digits(`run ${run.id}`, 32);
  const folder = `${experiment}/${id}`;
  const meta = {
    artifact_uri: `${folder}/artifacts`,
    end_time: run.endedAt,
    entry_point_name: '',
    experiment_id: experiment,
    lifecycle_stage: 'active',
    run_id: id,
    run_name: run.name,
    run_uuid: id,
    source_name: '',
    source_type: LOCAL,
    source_version: '',
    start_time: began(run),
    status: STATUS[run.state],
    tags: [],
    user_id: '',
  };
  yield { path: `${folder}/meta.yaml`, pieces: [stringify(meta)] };
  const names = new Names();
  for (const name of job.settings) {
    const value = settingValue(run, name);
    if (value === undefined) continue;
    const text = typeof value === 'number' ? numberCell(value) : String(value);
    yield { path: `${folder}/params/${names.free(name)}`, pieces: [[...text].slice(0, PARAMETER).join('')] };
  }
  for (const [name, value] of Object.entries(tagsOf(job, run)))
    if (value !== '') yield { path: `${folder}/tags/${name}`, pieces: [value] };
  const metrics = new Names();
  for (const name of wantedMetrics(job, run.id))
    yield { path: `${folder}/metrics/${metrics.free(name)}`, pieces: points(job, run, name) };
}

function tagsOf(job: ExportJob, run: RunRecord): Readonly<Record<string, string>> {
  const sweep = job.sweepOf(run);
  return {
    'mlflow.runName': run.name,
    'mlflow.source.type': 'LOCAL',
    'mlflow.note.content': run.note,
    'sweeplab.run': run.id,
    'sweeplab.sweep': sweep === undefined ? '' : `${sweep.name} (${sweep.id})`,
    'sweeplab.setting': settingName(run),
    'sweeplab.tags': run.tags.join(', '),
    'sweeplab.state': run.state,
    'sweeplab.reason': run.endReason ?? '',
  };
}

/** Some lines at a time. */
const LINES = 1000;

/** Lines `MILLISECONDS VALUE STEP`. */
function* points(job: ExportJob, run: RunRecord, metric: string): Generator<Piece> {
  let lines: string[] = [];
  for (const { step, seconds, value } of stepRows(job, run.id, [metric])) {
    lines.push(`${Math.round(began(run) + seconds * 1000)} ${numberCell(value[0])} ${Math.round(step)}\n`);
    if (lines.length < LINES) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}

/** Names that are paths below a folder, as MLflow and every system take them; no two alike where a file system ignores case. */
class Names {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  /** @returns the name itself where it can be one and is free, else one that is like it */
  free(name: string): string {
    const parts = name.split('/').map(fileName);
    const flat = parts.join('_');
    let made = parts.join('/');
    for (let i = 1; !this.#take(made.toLowerCase()); i++) made = i === 1 ? flat : `${flat}_${i}`;
    return made;
  }

  /** A file cannot be called as a folder is: `loss` beside `loss/val`. */
  #take(path: string): boolean {
    const parts = path.split('/');
    const above = parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
    if (this.#files.has(path) || this.#folders.has(path) || above.some((each) => this.#files.has(each))) return false;
    this.#files.add(path);
    for (const each of above) this.#folders.add(each);
    return true;
  }
}
