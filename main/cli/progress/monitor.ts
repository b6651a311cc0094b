/** What is known of a run while it trains, from the engine's messages. */
import type { EngineInfo, EngineMessage, EnginePhase, EngineProgress } from '../../../preload/contract/engine.ts';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';

export class RunMonitor {
  readonly run: RunRecord;
  readonly startedAt = performance.now();
  info: EngineInfo | undefined;
  phase: EnginePhase | undefined;
  progress: EngineProgress | undefined;
  /** Latest value of each metric. */
  readonly metrics = new Map<string, number>();
  /** Step of the latest evaluation, -1 before the first. */
  evaluatedAt = -1;
  /** Training loss of the latest recorded step that is not after the evaluation; undefined where there is none. */
  trainLossThere: number | undefined;
  #trainLoss: { readonly step: number; readonly value: number } | undefined;

  constructor(run: RunRecord) {
    this.run = run;
    for (const [name, value] of Object.entries(run.summary)) if (value !== null) this.metrics.set(name, value);
  }

  /** @returns true when an evaluation came in */
  receive(message: EngineMessage): boolean {
    if (message.type === 'info') this.info = message;
    else if (message.type === 'phase') this.phase = message;
    else if (message.type === 'progress') this.progress = message;
    else if (message.type === 'metrics') return this.#take(message.columns);
    return false;
  }

  #take(columns: readonly MetricColumn[]): boolean {
    let evaluated = false;
    for (const { metric, steps, values } of columns) {
      if (values.length === 0) continue;
      this.metrics.set(metric, values.at(-1)!);
      if (metric === 'val/loss' && steps.at(-1)! > this.evaluatedAt) {
        this.evaluatedAt = steps.at(-1)!;
        evaluated = true;
      }
    }
    const losses = columns.find(({ metric }) => metric === 'train/loss');
    // Steps that were trained after an evaluation may come with it: its line must not show their loss as its own.
    if (evaluated) this.trainLossThere = lossUpTo(this.evaluatedAt, losses) ?? this.#lossBefore(this.evaluatedAt);
    const last = (losses?.steps.length ?? 0) - 1;
    if (losses !== undefined && last >= 0) this.#trainLoss = { step: losses.steps[last]!, value: losses.values[last]! };
    return evaluated;
  }

  #lossBefore(step: number): number | undefined {
    return this.#trainLoss !== undefined && this.#trainLoss.step <= step ? this.#trainLoss.value : undefined;
  }

  get step(): number {
    return this.progress?.step ?? this.run.steps;
  }

  get fraction(): number | undefined {
    return this.progress?.fraction ?? undefined;
  }

  /** Seconds since this process took the run. */
  get elapsed(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  /** Seconds left; from the share done when the engine gives no estimate. */
  get eta(): number | undefined {
    return this.progress?.eta ?? undefined;
  }
}

/** Value of the last point that is not after `step`. */
function lossUpTo(step: number, column: MetricColumn | undefined): number | undefined {
  const at = column?.steps.findLastIndex((each: number) => each <= step) ?? -1;
  return at < 0 ? undefined : column!.values[at];
}
