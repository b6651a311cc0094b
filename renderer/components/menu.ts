import type { IconName } from './icons.ts';

export type MenuEntry =
  | 'line'
  | {
      readonly label: string;
      /** A line below it, in small. */
      readonly note?: string;
      readonly icon?: IconName;
      readonly key?: string;
      readonly danger?: boolean;
      readonly disabled?: boolean;
      readonly checked?: boolean;
      readonly run: () => unknown;
    };
