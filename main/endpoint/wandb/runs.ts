/** Runs as the client knows them, project and id, and what it says of them: the way in to the lab's runs from outside. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { OutsideRun } from '../../lab/outside/outsideRun.ts';
import type { OutsideRuns } from '../../lab/outside/outsideRuns.ts';
import { endOf, takeExported } from '../../lab/exchange/exportedRun.ts';
import type { Exported } from '../../lab/exchange/exportedRun.ts';
import { NO_PROJECT, OWN_KEYS, wandbRunSource } from '../../lab/imports/kinds/wandbNames.ts';
import { programSource } from '../../store/index.ts';
import type { Store } from '../../store/index.ts';
import { Refusal } from './body.ts';
import { type Fields, isFields, nameOf, textOf, textsOf } from './values.ts';

export { OWN_KEYS };
const MOST_TAGS = 100;
/** The last row of a run that is reported live is not older. */
const LATER_MS = 600_000;

/** How far a run was received. */
export interface Feed {
  /** Lines of each stream, so that one that is sent twice counts once. */
  readonly history: number;
  readonly events: number;
  readonly output: number;
  /** The newest line of the log, which may still be written over: it is kept when the next one comes. */
  readonly newest?: { readonly text: string; readonly at: number; readonly stream: 'stdout' | 'stderr' };
  /** Of the newest row, as the client wants to know it when it goes on. */
  readonly last?: { readonly step: number; readonly runtime: number; readonly timestamp: number };
}
const NO_FEED: Feed = { history: 0, events: 0, output: 0 };
export const feedOf = (run: OutsideRun): Feed => (run.feed as Feed | null) ?? NO_FEED;

/** In the client's words: what it asks for when it goes on with a run. */
interface Said {
  readonly config?: Fields;
  readonly name?: string;
  readonly notes?: string;
  readonly tags?: readonly string[];
}

export interface KnownRun {
  readonly run: OutsideRun;
  readonly project: string;
  readonly name: string;
  readonly source: string;
}

export class WandbRuns {
  readonly #store: Store;
  readonly #runs: OutsideRuns;

  constructor(store: Store, runs: OutsideRuns) {
    this.#store = store;
    this.#runs = runs;
  }

  static source(project: string, name: string): string {
    return wandbRunSource(project, name);
  }

  find(projectGiven: unknown, nameGiven: unknown): KnownRun | undefined {
    const project = nameOf(projectGiven ?? NO_PROJECT, 'project');
    const name = nameOf(nameGiven, 'run');
    const source = this.#sourceOf(project, name);
    const run = this.#runs.find(source, [name]);
    return run && { run, project, name, source };
  }

  /** A program that the lab has started reports as that run, whatever project it names. @throws Refusal when it has ended */
  #sourceOf(project: string, name: string): string {
    const run = this.#store.getRun(name);
    if (run?.origin !== 'program') return WandbRuns.source(project, name);
    if (run.state !== 'running') throw new Refusal(409, `run ${name} is ${run.state}; its program has ended`);
    return programSource(name);
  }

  /** @throws Refusal for one that the client never began */
  get(project: unknown, name: unknown): KnownRun {
    const found = this.find(project, name);
    if (found === undefined)
      throw new Refusal(404, `there is no run ${String(name).slice(0, 60)} in project ${String(project).slice(0, 60)}`);
    return found;
  }

  /** `UpsertBucket`: begins a run, goes on with it, or says more of it. */
  upsert(given: Fields): KnownRun & { readonly inserted: boolean } {
    const project = nameOf(given.project ?? NO_PROJECT, 'project');
    const name = nameOf(given.name ?? given.id, 'run');
    const source = this.#sourceOf(project, name);
    const displayName = textOf(given.displayName, 200);
    const names = [name, ...(displayName === undefined ? [] : [displayName])];
    const known = this.#runs.find(source, names);
    const config = jsonFields(given.config, 'config');
    const said = (this.#store.outside.run(source)?.said ?? {}) as Said;
    const own = config && treeOf(config);
    const exported = own && takeExported(own);
    // What the program was started with are its settings, also where it does not repeat them.
    const tree = own && known?.record.origin === 'program' ? { ...known.record.config, ...own } : own;
    const now: Said = {
      ...optional('config', config),
      ...optional('name', displayName),
      ...optional('notes', textOf(given.notes)),
      ...optional('tags', textsOf(given.tags, MOST_TAGS)),
    };
    // The client says it again with every change of anything; what the person at the lab has written meanwhile stays.
    const changed = <K extends keyof Said>(key: K): Said[K] =>
      JSON.stringify(now[key]) === JSON.stringify(said[key]) ? undefined : now[key];
    const run = this.#runs.begin(source, {
      ...(changed('config') === undefined ? {} : { config: tree }),
      ...optional('note', changed('notes')),
      ...optional('tags', changed('tags')),
      ...optional('codeVersion', textOf(given.commit, 200) ?? exported?.code),
      environment: environmentOf(given, config, project, name),
      name: changed('name') ?? known?.record.name ?? name,
      sweepId: known?.record.sweepId ?? this.#sweepOf(given, project, exported),
      names,
    });
    if (JSON.stringify({ ...said, ...now }) !== JSON.stringify(said))
      this.#store.outside.setSaid(source, { ...said, ...now });
    if (typeof exported?.parameters === 'number') this.#store.updateRun(run.id, { parameters: exported.parameters });
    return { run, project, name, source, inserted: known === undefined };
  }

  /** The configuration in the client's own words. */
  configOf(source: string): Fields {
    return (this.#store.outside.run(source)?.said as Said | null | undefined)?.config ?? {};
  }

  /** Whether the client knows it as a sweep: projects, which hold runs here, it knows as projects. */
  isSweep(id: string | null): boolean {
    const sweep = id === null ? undefined : this.#store.getSweep(id);
    return sweep !== undefined && sweep.yaml !== '';
  }

  /** The script is through. */
  end({ run, source }: KnownRun, exitCode: number): void {
    // Of a program that the lab has started it sees the end itself.
    if (run.record.origin === 'program') return;
    const config = this.configOf(source);
    const exported = takeExported(treeOf(config));
    const { startedAt } = run.record;
    const { last } = feedOf(run);
    const through = last === undefined || startedAt === null ? Date.now() : Math.round(startedAt + last.runtime * 1000);
    // A folder that is sent later ended when it ended.
    const at = Date.now() - through > LATER_MS ? through : Date.now();
    this.#runs.end(run, { ...endOf(exitCode, exported, run.stopWanted), at });
  }

  /** Runs without a sweep are compared with those of their project. */
  #sweepOf(given: Fields, project: string, exported: Exported | undefined): string {
    const asked = textOf(given.sweep, 64);
    if (asked !== undefined && this.#store.getSweep(asked)?.origin === 'wandb') return asked;
    const [source, name] =
      exported?.sweep == null
        ? [`wandb/project/${project}`, project]
        : [`wandb/exported/${exported.sweep.id.slice(0, 64)}`, exported.sweep.name];
    const found = this.#store.outside.sweepId(source);
    if (found !== undefined) return found;
    const notes = 'Runs of scripts that report to this lab through the W&B client.';
    return this.#store.outside.createSweep(source, {
      name: name.trim() || project,
      spec: { notes },
      origin: 'wandb',
      state: 'running',
    });
  }
}

const optional = <K extends string, V>(key: K, value: V | undefined): { [name in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [name in K]?: V };

/** @throws Refusal */
function jsonFields(text: unknown, what: string): Fields | undefined {
  if (text === undefined || text === null) return undefined;
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : text;
    if (isFields(value)) return value;
  } catch {
    // Said below.
  }
  throw new Refusal(400, `${what} is not the JSON text of an object`);
}

/** `{ lr: { value: 0.1 } }` → `{ lr: 0.1 }`, without what is the client's own. */
function treeOf(config: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key !== '_wandb' && key !== 'wandb_version')
      .map(([key, entry]) => [key, isFields(entry) && 'value' in entry ? entry.value : entry]),
  );
}

function environmentOf(
  given: Fields,
  config: Fields | undefined,
  project: string,
  name: string,
): RunRecord['environment'] {
  const own = isFields(config?._wandb) && isFields(config._wandb.value) ? config._wandb.value : {};
  return {
    project,
    wandb_run: name,
    ...optional('host', textOf(given.host, 200)),
    ...optional('program', textOf(given.program, 1000)),
    ...optional('repository', textOf(given.repo, 1000)),
    ...optional('group', textOf(given.groupName, 500)),
    ...optional('job_type', textOf(given.jobType, 200)),
    ...optional('wandb', textOf(own.cli_version, 40)),
    ...optional('python', textOf(own.python_version, 40)),
  };
}
