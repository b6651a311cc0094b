/** Sweep files: the W&B sweep schema with Sweeplab's extensions, read with positions and written back. */
import { isMap, stringify, type YAMLMap } from 'yaml';
import type { Problem, SettingValue } from '../../../preload/contract/settings.ts';
import { flattenEntries } from '../settings/source.ts';
import { type YamlEntry, YamlText } from '../settings/yamlText.ts';
import { readParameters } from './parameters.ts';
import { above, anyMap, anyNumber, choice, type Field, flag, integer, list, SchemaReader, text } from './schema.ts';
import {
  type EarlyTerminate,
  EXTENSION_KEYS,
  METHODS,
  type Metric,
  type Method,
  type Parameter,
  type SweepSpec,
} from './spec.ts';

const METRIC: Readonly<Record<string, Field>> = {
  name: text,
  goal: choice('minimize', 'maximize'),
  target: anyNumber,
  impute: choice('latest', 'best', 'worst'),
  impute_while_running: choice('latest', 'best', 'worst', 'false'),
};

const HYPERBAND: Readonly<Record<string, Field>> = {
  type: choice('hyperband'),
  min_iter: integer(1),
  max_iter: integer(1),
  s: anyNumber,
  eta: above(1),
  strict: flag,
};

const SCHEDULER: Readonly<Record<string, Field>> = {
  engine: choice('optuna', 'ax', 'wandb'),
  source: text,
  optimizer: text,
  search_space: text,
};

const seedsField: Field = {
  allowed: 'how many seeds (an integer at least 1), or a list of different seeds at least 0',
  ok: (value) =>
    integer(1).ok(value) ||
    (Array.isArray(value) && value.length > 0 && value.every(integer(0).ok) && new Set(value).size === value.length),
};

const constraintsField: Field = {
  allowed: 'a list of expressions in text',
  ok: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
};

/** Keys read straight into the specification or kept for W&B. Those with structure are read below. */
const TOP: Readonly<Record<string, Field>> = {
  method: choice(...METHODS),
  name: text,
  description: text,
  program: text,
  command: list,
  project: text,
  entity: text,
  job: text,
  image_uri: text,
  run_cap: integer(1),
  metric: anyMap,
  metrics: { allowed: 'a list of at least two metrics', ok: (value) => Array.isArray(value) && value.length >= 2 },
  scheduler: anyMap,
  controller: anyMap,
  early_terminate: anyMap,
  parameters: anyMap,
  apiVersion: text,
  kind: choice('sweep'),
  seeds: seedsField,
  constraints: constraintsField,
  recipe: text,
  settings: anyMap,
  sweep_seed: integer(0),
};

const WANDB_ONLY = ['program', 'command', 'project', 'entity', 'job', 'image_uri', 'apiVersion', 'kind'] as const;

export interface ParsedSweep {
  /** Absent when there are problems. */
  readonly sweep?: SweepSpec;
  readonly problems: readonly Problem[];
  /** Keys used that W&B does not know: this file runs in Sweeplab only. */
  readonly extensions: readonly string[];
}

/** Reads a sweep file. Never throws for bad input. Settings are not looked up here: see `planSweep`. */
export function parseSweep(source: string, label = 'sweep.yaml'): ParsedSweep {
  const yaml = new YamlText(source, label);
  if (!yaml.root) {
    const problems = yaml.problems.map(({ message, position }): Problem => ({
      code: 'yaml',
      setting: label,
      value: undefined,
      allowed: 'valid YAML',
      message,
      where: yaml.where(position),
    }));
    if (problems.length === 0)
      problems.push({
        code: 'yaml',
        setting: label,
        value: undefined,
        allowed: 'a sweep',
        message: `${label}: the file is empty; allowed: a sweep with method and parameters`,
      });
    return { problems, extensions: [] };
  }
  const reader = new SchemaReader(yaml);
  const entries = new Map(yaml.entries(yaml.root).map((entry) => [entry.key, entry]));
  const top: Record<string, unknown> = {};
  for (const [key, entry] of entries) {
    if (!Object.hasOwn(TOP, key)) reader.unknownKey(entry, key, Object.keys(TOP));
    else if (reader.check(entry, key, TOP[key])) top[key] = yaml.value(entry.node);
  }
  if (!entries.has('method')) {
    const first: YamlEntry = { key: 'method', position: yaml.position(yaml.root), node: null };
    reader.wrong(first, 'method', undefined, `one of ${METHODS.join(', ')}`, 'grid', 'it is required');
  }
  const section = <T>(key: string, read: (entry: YamlEntry) => T): T | undefined => {
    const entry = entries.get(key);
    return entry && top[key] !== undefined ? read(entry) : undefined;
  };
  const metric = section('metric', (entry) => readMetric(reader, entry, 'metric'));
  const metrics = section('metrics', (entry) => readMetrics(reader, entry));
  const earlyTerminate = section('early_terminate', (entry) => readEarlyTerminate(reader, entry));
  const scheduler = section('scheduler', (entry) => readScheduler(reader, entry));
  const controller = section('controller', (entry) =>
    reader.object(entry, 'controller', { type: choice('local', 'cloud') }, ['type']),
  );
  const parameters = section('parameters', (entry) => readParameters(reader, entry)) ?? [];
  const settings = section('settings', (entry) => readSettings(reader, entry)) ?? {};
  checkTogether(reader, entries, top);

  const extensions: string[] = EXTENSION_KEYS.filter((key) => entries.has(key));
  if (parameters.some(({ when }) => when !== undefined)) extensions.push('when');
  if (reader.problems.length > 0) return { problems: reader.problems, extensions };
  const kept = Object.fromEntries(WANDB_ONLY.filter((key) => key in top).map((key) => [key, top[key]]));
  const sweep: SweepSpec = {
    method: top.method as Method,
    ...pick({ name: top.name as string | undefined, description: top.description as string | undefined }),
    ...pick({ metric, metrics, earlyTerminate, runCap: top.run_cap as number | undefined }),
    parameters,
    wandb: { ...kept, ...pick({ scheduler, controller }) },
    ...pick({ seeds: top.seeds as SweepSpec['seeds'], recipe: top.recipe as string | undefined }),
    constraints: (top.constraints as string[] | undefined) ?? [],
    settings,
    sweepSeed: (top.sweep_seed as number | undefined) ?? 0,
  };
  return { sweep, problems: [], extensions };
}

/** Leaves out what is undefined. */
function pick<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function readMetric(reader: SchemaReader, entry: YamlEntry, path: string): Metric | undefined {
  const found = reader.object(entry, path, METRIC, ['name']);
  if (!found) return undefined;
  // YAML reads `false` as a boolean; the schema means the word.
  const running = 'impute_while_running' in found ? { impute_while_running: String(found.impute_while_running) } : {};
  return { goal: 'minimize', ...found, ...running } as unknown as Metric;
}

function readMetrics(reader: SchemaReader, entry: YamlEntry): Metric[] {
  const items = (entry.node as unknown as { items: YAMLMap[] }).items;
  return items.flatMap((node, index) => {
    const metric = readMetric(
      reader,
      { key: String(index), position: reader.yaml.position(node), node },
      `metrics.${index}`,
    );
    return metric ? [metric] : [];
  });
}

function readEarlyTerminate(reader: SchemaReader, entry: YamlEntry): EarlyTerminate | undefined {
  const found = reader.object(entry, 'early_terminate', HYPERBAND, ['type']);
  if (!found) return undefined;
  if (found.min_iter === undefined && (found.max_iter === undefined || found.s === undefined)) {
    reader.wrong(entry, 'early_terminate', found, 'min_iter, or max_iter with s');
    return undefined;
  }
  return { eta: 3, strict: true, ...found } as EarlyTerminate;
}

function readScheduler(reader: SchemaReader, entry: YamlEntry): Record<string, unknown> | undefined {
  const found = reader.object(entry, 'scheduler', SCHEDULER, ['engine']);
  for (const key of ['optimizer', 'search_space'])
    if (found && key in found && !('source' in found))
      reader.wrong(entry, 'scheduler.source', undefined, 'a path', undefined, `scheduler.${key} needs it`);
  return found;
}

/** Settings that all runs share; dotted or nested. Values are checked when the sweep is planned. */
function readSettings(reader: SchemaReader, entry: YamlEntry): Record<string, SettingValue> {
  const settings = new Map<string, SettingValue>();
  if (!isMap(entry.node)) return {};
  for (const { name, value, where } of flattenEntries(reader.yaml, entry.node as YAMLMap)) {
    const place: YamlEntry = { ...entry, position: positionOf(where, entry) };
    const path = `settings.${name}`;
    if (settings.has(name)) reader.wrong(place, path, value, 'each setting once', undefined, undefined, 'duplicate');
    else if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean')
      settings.set(name, value);
    else reader.wrong(place, path, value, 'a number, text, true or false');
  }
  return Object.fromEntries(settings);
}

function positionOf(where: string | undefined, fallback: YamlEntry): YamlEntry['position'] {
  const [line, column] = (where ?? '').split(':').slice(-2).map(Number);
  return line && column ? { line, column } : fallback.position;
}

/** Rules of the schema between keys. */
function checkTogether(
  reader: SchemaReader,
  entries: ReadonlyMap<string, YamlEntry>,
  top: Readonly<Record<string, unknown>>,
): void {
  const metrics = entries.get('metrics');
  if (metrics && entries.has('metric')) reader.wrong(metrics, 'metrics', top.metrics, 'metric or metrics, not both');
  if (metrics && top.method !== undefined && top.method !== 'custom')
    reader.wrong(
      metrics,
      'metrics',
      top.metrics,
      'metrics only with method custom',
      undefined,
      `method is ${String(top.method)}`,
    );
  const scheduler = entries.get('scheduler');
  if (scheduler && entries.has('early_terminate'))
    reader.wrong(scheduler, 'scheduler', top.scheduler, 'scheduler or early_terminate, not both');
  const method = entries.get('method');
  if (method && top.method === 'bayes' && !entries.has('metric'))
    reader.wrong(
      method,
      'metric',
      undefined,
      'a metric to optimise, such as { name: val/loss, goal: minimize }',
      undefined,
      'method bayes needs it',
    );
}

function parameterToYaml({ distribution, when }: Parameter): Record<string, unknown> {
  const { kind, ...fields } = distribution;
  const implied = kind === 'constant' || kind === 'categorical' || kind === 'categorical_w_probabilities';
  return { ...(implied ? {} : { distribution: kind }), ...fields, ...(when === undefined ? {} : { when }) };
}

/** Writes a sweep as YAML that `parseSweep` reads back equal (positions apart). Without extensions W&B reads it too. */
export function sweepToYaml(sweep: SweepSpec): string {
  const { metric, metrics, earlyTerminate } = sweep;
  const whole = pick({
    name: sweep.name,
    description: sweep.description,
    ...sweep.wandb,
    method: sweep.method,
    metric,
    metrics,
    early_terminate: earlyTerminate,
    run_cap: sweep.runCap,
    parameters:
      sweep.parameters.length > 0
        ? Object.fromEntries(sweep.parameters.map((parameter) => [parameter.name, parameterToYaml(parameter)]))
        : undefined,
    recipe: sweep.recipe,
    settings: Object.keys(sweep.settings).length > 0 ? sweep.settings : undefined,
    seeds: sweep.seeds,
    constraints: sweep.constraints.length > 0 ? sweep.constraints : undefined,
    sweep_seed: sweep.sweepSeed === 0 ? undefined : sweep.sweepSeed,
  });
  return stringify(whole, { lineWidth: 0 });
}
