/** The runs of a sweep over a program: the same schema, order and draws as where agents ask for them, and a command for each. */
import { EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import type { Draft } from '../../../preload/contract/draft.ts';
import type { NewRun, RunRecord, SweepRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Store } from '../../store/index.ts';
import { unseeded } from '../outside/outsideRun.ts';
import { outsideSettingKey, outsideSettings } from '../outside/settings.ts';
import { nextRuns, scriptSweep, scriptSweepProblems } from '../outside/sweepPlan.ts';
import { searchFamily } from '../search/index.ts';
import { sweepToYaml } from '../sweeps/index.ts';
import { commandOf, commandProblems, commandText, settingsOf } from './command.ts';

/** What is wrong with a sweep over a program, in words. */
export function programSweepProblems(draft: Draft): string[] {
  const draws = searchFamily.kinds.some(({ name, draws: drawn }) => name === draft.method && drawn);
  return [
    ...scriptSweepProblems(draft),
    ...commandProblems(draft),
    ...(draws && draft.runCap === null ? [`method ${draft.method} has no end of its own; give run_cap`] : []),
  ];
}

/** @param draft one without problems @param folder where each program starts */
export function programRuns(draft: Draft, folder: string): NewRun[] {
  const resume = draft.resume?.map(String) ?? null;
  return nextRuns(scriptSweep(draft), 0).map((run) => ({
    ...run,
    origin: 'program',
    program: { command: commandOf(draft, run.config), folder, resume },
  }));
}

export interface NewProgramSweep {
  readonly draft: Draft;
  readonly runs: readonly NewRun[];
  readonly yaml?: string;
  /** Runs at a time on one device; null: one. */
  readonly limit?: number | null;
}

export function createProgramSweep(
  store: Store,
  { draft, runs, yaml, limit = null }: NewProgramSweep,
): { readonly sweep: SweepRecord; readonly runs: readonly RunRecord[] } {
  const swept = Object.entries(draft.parameters).flatMap(([name, { value }]) => (value === undefined ? [name] : []));
  const script = draft.program ?? commandText((draft.command ?? []).map(String));
  return store.createSweep(
    {
      name: draft.name.trim() || `${script.slice(0, 100)}: ${swept.join(' × ') || 'seeds'}`,
      spec: draft,
      yaml: yaml ?? sweepToYaml(draft),
      concurrencyLimit: limit,
      origin: 'program',
    },
    runs,
  );
}

export interface TypedCommand {
  readonly command: readonly string[];
  readonly folder: string;
  readonly name?: string;
  /** Each is given to the program as `--seed=N`; null: none is, and it runs once. */
  readonly seeds: readonly number[] | null;
  readonly resume: readonly string[] | null;
  readonly tags?: readonly string[];
  readonly note?: string;
}

/** Runs of one command, as it was typed. */
export function typedRuns(store: Store, typed: TypedCommand): NewRun[] {
  const { command, folder, seeds, resume, tags, note } = typed;
  const { config: own, seed: said } = outsideSettings(settingsOf(command));
  const name = typed.name ?? commandText(command).slice(0, 200);
  return (seeds ?? [null]).map((seed): NewRun => {
    const config: Config = seed === null ? own : { ...own, seed };
    return {
      name: seed === null ? name : `${name} seed=${seed}`,
      config,
      seed: seed ?? said ?? unseeded(store, null, config),
      settingKey: outsideSettingKey(config),
      origin: 'program',
      program: { command: seed === null ? command : [...command, `--seed=${seed}`], folder, resume },
      tags,
      note,
    };
  });
}

/** Several runs of one command. */
export function createTypedSweep(
  store: Store,
  { command, name }: TypedCommand,
  runs: readonly NewRun[],
  limit: number | null,
): { readonly sweep: SweepRecord; readonly runs: readonly RunRecord[] } {
  const spec = { ...EMPTY_DRAFT, command, seeds: runs.map(({ seed }) => seed) };
  return store.createSweep(
    {
      name: name ?? commandText(command).slice(0, 200),
      spec,
      yaml: sweepToYaml(spec),
      concurrencyLimit: limit,
      origin: 'program',
    },
    runs,
  );
}
