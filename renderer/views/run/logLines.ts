/** The log of a run with what was measured on the way: one line an evaluation, as the command line prints them. */
import type { Series } from '../../../preload/contract/metrics.ts';
import type { RunEvent, RunEventKind } from '../../../preload/contract/runs.ts';
import { formatDuration, formatInteger, formatValue } from '../../../preload/shared/format.ts';

export type LineKind = RunEventKind | 'step';

export interface LogLine {
  readonly key: string;
  readonly kind: LineKind;
  /** What stands at its left: a time of day, or how long had been trained. */
  readonly when: string;
  /** Milliseconds, by which lines are ordered. */
  readonly at: number;
  readonly message: string;
}

const clock = (at: number): string => new Date(at).toLocaleTimeString('en-GB');

export const eventLines = (events: readonly RunEvent[]): LogLine[] =>
  events.map(({ seq, kind, at, message }) => ({ key: `event ${seq}`, kind, when: clock(at), at, message }));

/** Points of one metric over the seconds that had been trained. */
export type Measured = Pick<Series, 'step' | 'value'> & { readonly x?: Series['x'] };

/**
 * A line for each step of the first metric that has points, with the others where they were measured at the same step.
 * @param startedAt of the first attempt, milliseconds: places the lines among the events
 */
export function stepLines(measured: readonly (readonly [string, Measured])[], startedAt: number): LogLine[] {
  const there = measured.filter(([, { step }]) => step.length > 0);
  const [first] = there;
  if (first === undefined) return [];
  const others = there.map(
    ([name, { step, value }]) => [name, new Map(Array.from(step, (each, i) => [each, value[i]]))] as const,
  );
  const [, { step, x }] = first;
  return Array.from(step, (each, i) => {
    const seconds = x?.[i];
    const known = seconds !== undefined && Number.isFinite(seconds);
    const values = others.flatMap(([name, at]) => (at.has(each) ? [`${name} ${formatValue(at.get(each))}`] : []));
    return {
      key: `step ${each}`,
      kind: 'step',
      when: known ? `+${formatDuration(seconds)}` : '',
      at: startedAt + (known ? 1000 * seconds : 0),
      message: `step ${formatInteger(each)}: ${values.join(' · ')}`,
    };
  });
}

/** In their order of time; what was measured keeps its own order, whatever pauses there were. */
export function merged(events: readonly LogLine[], steps: readonly LogLine[]): LogLine[] {
  const lines: LogLine[] = [];
  let next = 0;
  for (const event of events) {
    while (next < steps.length && steps[next].at < event.at) lines.push(steps[next++]);
    lines.push(event);
  }
  return [...lines, ...steps.slice(next)];
}
