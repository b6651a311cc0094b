/** Numbers that change at certain steps or tokens of a run. */

/** Where a run stands before a step. */
export interface Position {
  /** Updates made. */
  readonly step: number;
  /** Training tokens seen. */
  readonly tokens: number;
}

export type Unit = 'steps' | 'tokens';

export interface Milestone {
  /** From this position on, in the unit of the list. */
  readonly from: number;
  readonly value: number;
}

/** Ascending by `from`; the first is 0. */
export interface Milestones {
  readonly unit: Unit;
  readonly list: readonly Milestone[];
}

export const always = (value: number): Milestones => ({ unit: 'steps', list: [{ from: 0, value }] });

export const along = ({ step, tokens }: Position, unit: Unit): number => (unit === 'tokens' ? tokens : step);

/** The milestone that holds at `position`. */
export function reachedAt({ unit, list }: Milestones, position: Position): Milestone {
  const at = along(position, unit);
  return list.findLast(({ from }) => from <= at) ?? list[0]!;
}

/** Why a list of milestones cannot be read, in words. */
export class MilestoneError extends Error {
  override readonly name = 'MilestoneError';
}

/** What such a text looks like, for people. */
export const MILESTONES_WRITTEN = 'numbers, each but the first with @ and where it begins: 32 64@200 128@400';
/** What a setting of this kind may hold. */
export const MILESTONES_PATTERN = '^\\s*\\d+(@0)?([\\s,]+\\d+@\\d+)*\\s*$';

/** `32 64@200 128@400`: 32 from the beginning on, 64 from 200 on, 128 from 400 on. @throws MilestoneError */
export function readMilestones(text: string): readonly Milestone[] {
  const list = text
    .trim()
    .split(/[\s,]+/u)
    .map((entry, index): Milestone => {
      const found = /^(\d+)(?:@(\d+))?$/u.exec(entry);
      if (found === null || (index > 0 && found[2] === undefined))
        throw new MilestoneError(`${JSON.stringify(entry)} is not NUMBER@WHERE`);
      return { value: Number(found[1]), from: Number(found[2] ?? 0) };
    });
  if (list[0]!.from !== 0) throw new MilestoneError(`the first begins at ${list[0]!.from}, not at 0`);
  for (const [index, { from, value }] of list.entries()) {
    if (!Number.isSafeInteger(value) || value < 1) throw new MilestoneError(`${value} is not a number from 1 on`);
    if (index > 0 && from <= list[index - 1]!.from)
      throw new MilestoneError(`${from} does not come after ${list[index - 1]!.from}`);
  }
  return list;
}
