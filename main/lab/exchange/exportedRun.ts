/** What files of other tools say of a run alike. */
import type { RunRecord, StopCause } from '../../../preload/contract/runs.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { fileName } from '../../../preload/shared/fileName.ts';

/** Milliseconds since 1970 at which the run began. */
export const began = ({ startedAt, createdAt }: RunRecord): number => startedAt ?? createdAt;

/** `depth-4-seed-1-1s7j0a5sx`: readable, and of this run alone. */
export const runFileName = ({ id, name }: RunRecord): string => `${fileName(name).slice(0, 100)}-${id}`;

/** An end of a run, in the words of the lab. */
export interface ExportedEnd {
  readonly state: 'finished' | 'failed' | 'stopped';
  readonly reason: string;
  readonly cause?: StopCause;
}

/** What an export of Sweeplab says of a run beside its settings. */
export interface Exported {
  readonly run: string;
  readonly sweep: { readonly id: string; readonly name: string } | null;
  readonly state: RunRecord['state'];
  readonly reason: string | null;
  readonly cause: RunRecord['stopCause'];
  readonly code?: string;
  readonly parameters?: number | null;
}

/** Takes out what an export of Sweeplab added. */
export function takeExported(tree: Record<string, unknown>): Exported | undefined {
  const about = tree.sweeplab;
  if (!isObject(about) || typeof about.run !== 'string' || typeof about.setting !== 'string') return undefined;
  delete tree.sweeplab;
  const sweep = isObject(about.sweep) && typeof about.sweep.id === 'string' && typeof about.sweep.name === 'string';
  return { ...(about as unknown as Exported), sweep: sweep ? (about.sweep as unknown as Exported['sweep']) : null };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The client's own for an interruption. */
const INTERRUPTED = 255;

/** How a run of W&B's client has ended. @param stopWanted the person at the lab wanted it to end */
export function endOf(exitCode: number, exported: Exported | undefined, stopWanted = false): ExportedEnd {
  if (
    exported !== undefined &&
    (exported.state === 'finished' || exported.state === 'failed' || exported.state === 'stopped')
  ) {
    const { state, reason, cause } = exported;
    return {
      state,
      reason: reason ?? 'as it was exported',
      ...(cause === null || cause === undefined ? {} : { cause }),
    };
  }
  if (exitCode === 0) return { state: 'finished', reason: 'the script has ended' };
  if (stopWanted) return { state: 'stopped', reason: 'cancelled by the user', cause: 'cancelled' };
  if (exitCode === INTERRUPTED) return { state: 'stopped', reason: 'the script was interrupted', cause: 'interrupted' };
  return { state: 'failed', reason: `the script ended with exit code ${exitCode}` };
}

/** Whether another program made it: its settings are its own, and the lab's defaults are none of them. */
export const isOutside = ({ origin }: RunRecord): boolean => origin !== 'sweeplab';

/** A setting of a run. Of the seed that a run does not say, its number among the samples of its setting. */
export const settingValue = ({ config, seed }: RunRecord, name: string): SettingValue | undefined =>
  config[name] ?? (name === 'seed' ? seed : undefined);

/** What the columns of settings are called beside others: `config.step` where `step` is one of those. No two alike. */
export function settingColumns(settings: readonly string[], others: readonly string[]): string[] {
  const taken = new Set([...others, ...settings]);
  return settings.map((name) => {
    if (!others.includes(name)) return name;
    let free = `config.${name}`;
    while (taken.has(free)) free = `config.${free}`;
    taken.add(free);
    return free;
  });
}
