/** Between the draft that a form edits and the sweep that the planner takes. */
import { stringify } from 'yaml';
import type { Draft, DraftParameter, Problem } from '../../../preload/contract/shapes.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { parseSweep } from '../../lab/sweeps/index.ts';
import type { Distribution, SweepSpec } from '../../lab/sweeps/index.ts';

const LABEL = 'sweep';

/** The draft in the words of a sweep file. Read by the same reader, it gets the same checks and messages. */
export function draftToYaml(draft: Draft): string {
  const { name, notes, method, runCap, parameters, recipe, settings, seeds, constraints, sweepSeed } = draft;
  const { metric, earlyTerminate } = draft;
  return stringify(
    {
      ...(name === '' ? {} : { name }),
      ...(notes === '' ? {} : { description: notes }),
      method,
      ...(metric === undefined ? {} : { metric }),
      ...(earlyTerminate === undefined ? {} : { early_terminate: earlyTerminate }),
      ...(runCap === null ? {} : { run_cap: runCap }),
      ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
      ...(recipe === null ? {} : { recipe }),
      ...(Object.keys(settings).length === 0 ? {} : { settings }),
      seeds,
      ...(constraints.length === 0 ? {} : { constraints }),
      ...(sweepSeed === 0 ? {} : { sweep_seed: sweepSeed }),
    },
    { lineWidth: 0 },
  );
}

export function draftToSweep(draft: Draft): { readonly sweep?: SweepSpec; readonly problems: readonly Problem[] } {
  const { sweep, problems } = parseSweep(draftToYaml(draft), LABEL);
  return { ...(sweep === undefined ? {} : { sweep }), problems: problems.map(withoutPlace) };
}

/** A form has no lines: the place in the text that stood for it would only confuse. */
export function withoutPlace({ where, ...problem }: Problem): Problem {
  if (where === undefined || !where.startsWith(`${LABEL}:`))
    return where === undefined ? problem : { ...problem, where };
  const prefix = `${where}: `;
  return problem.message.startsWith(prefix) ? { ...problem, message: problem.message.slice(prefix.length) } : problem;
}

function parameterOf(distribution: Distribution, when: string | undefined): DraftParameter {
  const { kind, ...fields } = distribution;
  const condition = when === undefined ? {} : { when };
  // W&B infers these two from the fields alone.
  if (kind === 'categorical' || kind === 'constant') return { ...fields, ...condition };
  return { distribution: kind, ...fields, ...condition };
}

/** @returns the draft, and keys that a draft has no place for */
export function sweepToDraft(sweep: SweepSpec): { draft: Draft; ignored: string[] } {
  const shared: Record<string, SettingValue> = { ...sweep.settings };
  const parameters = sweep.parameters.map(
    ({ name, distribution, when }) => [name, parameterOf(distribution, when)] as const,
  );
  const ignored = [...(sweep.metrics === undefined ? [] : ['metrics']), ...Object.keys(sweep.wandb)];
  const draft: Draft = {
    name: sweep.name ?? '',
    recipe: sweep.recipe ?? null,
    settings: shared,
    parameters: Object.fromEntries(parameters),
    method: sweep.method === 'random' ? 'random' : 'grid',
    runCap: sweep.runCap ?? null,
    seeds: sweep.seeds ?? 1,
    constraints: sweep.constraints,
    sweepSeed: sweep.sweepSeed,
    notes: sweep.description ?? '',
    ...(sweep.metric === undefined ? {} : { metric: sweep.metric }),
    ...(sweep.earlyTerminate === undefined ? {} : { earlyTerminate: sweep.earlyTerminate }),
  };
  return { draft, ignored };
}
