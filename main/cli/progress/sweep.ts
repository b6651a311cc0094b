/** The display of a sweep: how many runs are done, what trains now, and when it will be over. */
import { counted } from '../../../preload/shared/format.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { QueueEvent } from '../../lab/queue/queue.ts';
import { bar, formatDuration, formatNumber } from '../format.ts';
import type { Output } from '../output.ts';
import { RunMonitor } from './monitor.ts';
import { Ticker } from './ticker.ts';
import { phaseLine } from './train.ts';

export interface SweepSize {
  /** Runs of the sweep, and how many had ended before. */
  readonly total: number;
  readonly ended: number;
  readonly concurrency: number;
}

export class SweepDisplay implements Disposable {
  readonly #output: Output;
  readonly #size: SweepSize;
  readonly #ticker: Ticker;
  readonly #active = new Map<string, RunMonitor>();
  readonly #durations: number[] = [];
  #ended: number;

  constructor(output: Output, size: SweepSize) {
    this.#output = output;
    this.#size = size;
    this.#ended = size.ended;
    this.#ticker = new Ticker(
      output,
      () => this.#draw(),
      () => this.#plain(),
    );
  }

  readonly handle = (event: QueueEvent): void => {
    if (event.type === 'started') this.#active.set(event.run.id, new RunMonitor(event.run));
    else if (event.type === 'message') {
      this.#active.get(event.runId)?.receive(event.message);
      if (event.message.type === 'log' && event.message.level !== 'log')
        this.#output.warn(`${this.#active.get(event.runId)?.run.name ?? event.runId}: ${event.message.text}`);
    } else this.#end(event.run);
  };

  #end(run: RunRecord): void {
    const monitor = this.#active.get(run.id);
    this.#active.delete(run.id);
    if (run.state !== 'stopped') this.#ended++;
    if (monitor !== undefined && run.state === 'finished') this.#durations.push(monitor.elapsed);
    const count = `[${this.#ended}/${this.#size.total}]`;
    const result =
      run.state === 'finished'
        ? `val/loss ${formatNumber(run.summary['val/loss'])}  val/bpb ${formatNumber(run.summary['val/bpb'])}`
        : `${run.state}: ${run.endReason}`;
    const color = run.state === 'finished' ? 'green' : run.state === 'failed' ? 'red' : 'yellow';
    const mark = this.#output.style(color, run.state === 'finished' ? '✓' : run.state === 'failed' ? '✗' : '■');
    this.#output.note(`${mark} ${count} ${run.name}  ${result}  ${formatDuration(monitor?.elapsed)}`);
  }

  /** Seconds until the sweep is done: what the active runs need, and the mean of the finished ones for each that waits. */
  get eta(): number | undefined {
    const { total, concurrency } = this.#size;
    const active = [...this.#active.values()];
    const whole = active.flatMap((monitor) => {
      const { eta, fraction } = monitor;
      return eta === undefined || !fraction ? [] : [monitor.elapsed + eta];
    });
    const durations = this.#durations.length > 0 ? this.#durations : whole;
    if (durations.length === 0) return undefined;
    const mean = durations.reduce((a, b) => a + b, 0) / durations.length;
    const left = active.map((monitor) => monitor.eta ?? Math.max(0, mean - monitor.elapsed));
    const waiting = Math.max(0, total - this.#ended - active.length);
    const work = left.reduce((a, b) => a + b, 0) + waiting * mean;
    // The last runs of a sweep cannot be shared out, so it takes at least as long as the longest of them.
    return Math.max(work / concurrency, ...left);
  }

  #fraction(): number {
    const parts = [...this.#active.values()].reduce((sum, { fraction }) => sum + (fraction ?? 0), 0);
    return (this.#ended + parts) / this.#size.total;
  }

  #draw(): string {
    const eta = this.eta;
    const head = `${bar(this.#fraction(), 30)} ${this.#ended}/${counted(this.#size.total, 'run')}${eta === undefined ? '' : `  ETA ${formatDuration(eta)}`}`;
    return [head, ...[...this.#active.values()].map((monitor) => this.#runLine(monitor))].join('\n');
  }

  #runLine(monitor: RunMonitor): string {
    const { run, progress, metrics } = monitor;
    const width = Math.max(20, this.#output.width - 2);
    const what =
      progress === undefined || progress.step === 0
        ? phaseLine(monitor)
        : `step ${progress.step}${progress.plannedSteps === null ? '' : `/${progress.plannedSteps}`}  loss ${formatNumber(metrics.get('train/loss'))}`;
    return `  ${run.name}  ${what}`.slice(0, width);
  }

  #plain(): string {
    const eta = this.eta;
    const runs = [...this.#active.values()].map(
      ({ run, step, progress }) => `${run.name} ${step}/${progress?.plannedSteps ?? '?'}`,
    );
    return `${this.#ended}/${counted(this.#size.total, 'run')}${eta === undefined ? '' : `, ETA ${formatDuration(eta)}`}: ${runs.join(', ')}`;
  }

  [Symbol.dispose](): void {
    this.#ticker[Symbol.dispose]();
  }
}
