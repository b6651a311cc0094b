/** What `--json` prints: stable shapes for machines. */
import type { RunRecord, SweepRecord } from '../../preload/contract/runs.ts';
import { secondsOf } from '../../preload/shared/runTime.ts';

/** A run. `settings` is the complete configuration; times are ISO 8601, `seconds` those that it trained; NaN and infinities are null. */
export function runJson(run: RunRecord): Record<string, unknown> {
  return {
    id: run.id,
    name: run.name,
    state: run.state,
    reason: run.endReason,
    origin: run.origin,
    sweep: run.sweepId,
    settingKey: run.settingKey,
    seed: run.seed,
    steps: run.steps,
    tokens: run.tokens,
    parameters: run.parameters,
    settings: run.config,
    summary: run.summary,
    tags: run.tags,
    note: run.note,
    attempt: run.attempt,
    checkpoint: run.checkpoint,
    environment: run.environment,
    codeVersion: run.codeVersion,
    createdAt: iso(run.createdAt),
    startedAt: iso(run.startedAt),
    endedAt: iso(run.endedAt),
    seconds: secondsOf(run),
    deletedAt: iso(run.deletedAt),
  };
}

export function sweepJson(sweep: SweepRecord): Record<string, unknown> {
  const { id, name, state, counts, spec, createdAt } = sweep;
  return { id, name, state, counts, spec, createdAt: iso(createdAt) };
}

const iso = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();
