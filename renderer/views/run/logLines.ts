/** The log of a run with what was measured on the way: one line an evaluation, as the command line prints them. */
import type { Series } from '../../../preload/contract/metrics.ts';
import type { RunEvent, RunEventKind, RunRecord } from '../../../preload/contract/runs.ts';
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
 * When the first step began. A run begins with its data; of one that ended in one go, its end and the seconds that it trained tell how long
 * those took.
 */
export function trainedFrom({ startedAt, createdAt, endedAt, attempt, summary }: RunRecord): number {
  const begun = startedAt ?? createdAt;
  const { seconds } = summary;
  if (attempt > 1 || endedAt === null || typeof seconds !== 'number' || !Number.isFinite(seconds)) return begun;
  // The last of them comes before the end.
  return Math.max(begun, endedAt - 1000 * seconds - 1);
}

/**
 * A line for each step of the first metric that has points, with the others where they were measured at the same step.
 * @param from when the first step began, milliseconds: places the lines among the events
 */
export function stepLines(measured: readonly (readonly [string, Measured])[], from: number): LogLine[] {
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
      at: from + (known ? 1000 * seconds : 0),
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
