/** What is shown of programs while they run: what they print, and how each ends. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { secondsOf } from '../../../preload/shared/runTime.ts';
import type { OutsideLine } from '../../lab/outside/outsideRun.ts';
import type { QueueEvent } from '../../lab/queue/queue.ts';
import { formatDuration, formatNumber } from '../format.ts';
import type { Output } from '../output.ts';

/** Of its last numbers so many are shown. */
const SHOWN = 4;

export class ProgramDisplay {
  readonly #output: Output;
  readonly #total: number;
  #ended: number;

  constructor(output: Output, { total, ended }: { readonly total: number; readonly ended: number }) {
    this.#output = output;
    this.#total = total;
    this.#ended = ended;
  }

  readonly line = (run: RunRecord, { text }: OutsideLine): void => {
    this.#output.note(this.#total === 1 ? text : `${this.#output.style('dim', `${run.name} │`)} ${text}`);
  };

  readonly handle = (event: QueueEvent): void => {
    if (event.type === 'started' && this.#total > 1) this.#output.note(`${event.run.name} begins`);
    if (event.type !== 'ended') return;
    const { run } = event;
    if (run.state !== 'stopped' && run.state !== 'queued') this.#ended++;
    const color = run.state === 'finished' ? 'green' : run.state === 'failed' ? 'red' : 'yellow';
    const count = this.#total === 1 ? '' : `[${this.#ended}/${this.#total}] ${run.name}  `;
    const words = run.state === 'finished' ? '' : `: ${run.endReason}`;
    const numbers = Object.entries(run.summary)
      .slice(0, SHOWN)
      .map(([name, value]) => `  ${name} ${formatNumber(value)}`)
      .join('');
    this.#output.note(
      `${this.#output.style(color, `${count}${run.state}`)}${words}${numbers}  ${formatDuration(secondsOf(run))}`,
    );
  };
}
