/** What is known of a run while it trains, from the engine's messages. */
import type { EngineInfo, EngineMessage, EnginePhase, EngineProgress } from '../../../preload/contract/engine.ts';
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

  constructor(run: RunRecord) {
    this.run = run;
    for (const [name, value] of Object.entries(run.summary)) if (value !== null) this.metrics.set(name, value);
  }

  /** @returns true when an evaluation came in */
  receive(message: EngineMessage): boolean {
    if (message.type === 'info') this.info = message;
    else if (message.type === 'phase') this.phase = message;
    else if (message.type === 'progress') this.progress = message;
    else if (message.type === 'metrics') {
      let evaluated = false;
      for (const { metric, steps, values } of message.columns) {
        if (values.length === 0) continue;
        this.metrics.set(metric, values.at(-1)!);
        if (metric === 'val/loss' && steps.at(-1)! > this.evaluatedAt) {
          this.evaluatedAt = steps.at(-1)!;
          evaluated = true;
        }
      }
      return evaluated;
    }
    return false;
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
