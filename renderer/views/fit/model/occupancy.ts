/** The programs of a step, one after the other, as one curve. */
import type { ProgramOccupancy } from '../../../../preload/contract/shapes.ts';

export interface Occupancy {
  /** x (0 … 1) and bytes held there; a gap (NaN) between programs. */
  readonly points: readonly (readonly [number, number])[];
  readonly phases: readonly {
    readonly label: string;
    readonly program: string;
    readonly from: number;
    readonly to: number;
  }[];
  readonly peak: { readonly x: number; readonly bytes: number } | null;
  /** The largest arena: what is allocated for all of them. */
  readonly arenaBytes: number;
}

const NAMES: Readonly<Record<string, string>> = {
  'accumulate-first': 'first micro-batch',
  accumulate: 'further micro-batches',
  update: 'update',
  evaluate: 'evaluation',
  generate: 'sampling',
};

/** `accumulate-first` with one micro-batch is simply the step's forward and backward pass. */
const programName = (program: Pick<ProgramOccupancy, 'name' | 'repeats'>, alone: boolean): string => {
  if (program.name === 'accumulate-first' && alone) return '';
  if (program.name === 'accumulate' && program.repeats > 1) return `${NAMES.accumulate} (${program.repeats} ×)`;
  return NAMES[program.name] ?? program.name;
};

/** For phases too narrow for their name. */
const SHORT: Readonly<Record<string, string>> = { forward: 'fwd', backward: 'bwd', evaluation: 'eval' };

/**
 * What is written above each phase of a chart so many pixels wide; '' where there is no room. A name is short in all its phases or in none,
 * so that no second "forward" is missing beside a first one. @param widthOf pixels of a text
 */
export function phaseLabels(
  phases: Occupancy['phases'],
  pixels: number,
  widthOf: (text: string) => number,
): readonly string[] {
  const shortOf = (label: string): string => SHORT[label] ?? label;
  const fits = (text: string, { from, to }: { from: number; to: number }): boolean =>
    widthOf(text) <= (to - from) * pixels;
  const shortened = new Set(
    phases.filter((each) => fits(shortOf(each.label), each) && !fits(each.label, each)).map(({ label }) => label),
  );
  return phases.map((each) => {
    const text = shortened.has(each.label) ? shortOf(each.label) : each.label;
    return fits(text, each) ? text : '';
  });
}

export function occupancyOf(programs: readonly ProgramOccupancy[]): Occupancy {
  const shown = programs.filter(({ points }) => points.length > 0);
  const alone = !shown.some(({ name }) => name === 'accumulate');
  const gap = 0.012;
  // Short programs (the update) stay visible beside long ones.
  const weights = shown.map(({ points }) => Math.max(Math.sqrt(points.length), 2));
  const room = 1 - gap * Math.max(0, shown.length - 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const points: [number, number][] = [];
  const phases: { label: string; program: string; from: number; to: number }[] = [];
  let peak: Occupancy['peak'] = null;
  let at = 0;
  shown.forEach((program, i) => {
    const width = (room * weights[i]) / total;
    const place = (index: number): number => at + (width * index) / program.points.length;
    const named = programName(program, alone);
    program.points.forEach((bytes, index) => {
      const x = place(index + 0.5);
      if (index === 0) points.push([place(0), bytes]);
      points.push([x, bytes]);
      if (index === program.points.length - 1) points.push([place(index + 1), bytes]);
      if (peak === null || bytes > peak.bytes) peak = { x, bytes };
    });
    // The phases that matter are those of training; beside it a program is one thing.
    const whole = program.phases.length === 0 || program.repeats === 0;
    const starts = whole ? [{ name: program.name, from: 0 }] : program.phases;
    starts.forEach((phase, j) => {
      const to = starts[j + 1]?.from ?? program.points.length;
      if (to <= phase.from) return;
      const label = starts.length === 1 && named !== '' ? named : phase.name;
      phases.push({ label, program: named, from: place(phase.from), to: place(to) });
    });
    at += width + gap;
    if (i < shown.length - 1) points.push([at - gap / 2, Number.NaN]);
  });
  return { points, phases, peak, arenaBytes: Math.max(0, ...programs.map(({ arenaBytes }) => arenaBytes)) };
}
