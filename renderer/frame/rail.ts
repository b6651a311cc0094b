import type { IconName } from '../components/icons.ts';

export interface RailEntry {
  readonly name: string;
  readonly label: string;
  readonly path: string;
  readonly icon: IconName;
  /** Typed after `g`. */
  readonly key: string;
}

export const RAIL: readonly RailEntry[] = [
  { name: 'start', label: 'Start', path: '/', icon: 'home', key: 's' },
  { name: 'builder', label: 'Builder', path: '/builder', icon: 'sliders', key: 'b' },
  { name: 'fit', label: 'Fit', path: '/fit', icon: 'memory', key: 'f' },
  { name: 'board', label: 'Board', path: '/board', icon: 'chart', key: 'o' },
  { name: 'sweeps', label: 'Sweeps', path: '/sweeps', icon: 'layers', key: 'w' },
  { name: 'queue', label: 'Queue', path: '/queue', icon: 'queue', key: 'q' },
  { name: 'data', label: 'Data', path: '/data', icon: 'database', key: 'd' },
];

export const RAIL_END: readonly RailEntry[] = [
  { name: 'settings', label: 'Settings', path: '/settings', icon: 'gear', key: 'e' },
  { name: 'help', label: 'Help', path: '/help', icon: 'help', key: 'h' },
];
