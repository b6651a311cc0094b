/** The settings of a swept draft, each of which has a fit of its own. */
import type { SettingValue } from '../../../../preload/contract/settings.ts';
import type { Fit, SweepPlan } from '../../../../preload/contract/shapes.ts';

export interface Variant {
  readonly key: string;
  readonly label: string;
  /** Of what is swept. */
  readonly values: Readonly<Record<string, SettingValue>>;
  readonly bytes: number;
  readonly fit: Fit;
}

/** All that have been checked, the largest first. */
export function variantsOf({ settings, groups }: Pick<SweepPlan, 'settings' | 'groups'>): Variant[] {
  const groupOf = new Map(groups.flatMap((group) => group.labels.map((label) => [label, group] as const)));
  return settings
    .flatMap(({ key, label, values }) => {
      const group = groupOf.get(label);
      return group === undefined ? [] : [{ key, label, values, bytes: group.bytes, fit: group.fit }];
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/** The one that was chosen, else the largest: what fits at its worst fits. */
export const chosenOf = (variants: readonly Variant[], key: string): Variant | undefined =>
  variants.find((each) => each.key === key) ?? variants[0];
