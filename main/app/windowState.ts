/** Where the window was when it was last closed. A file that cannot be read, or a screen that is gone, means the default. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFileSync } from '../files/atomic.ts';

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface WindowState {
  /** Undefined leaves the place to the system. */
  readonly x?: number;
  readonly y?: number;
  readonly width: number;
  readonly height: number;
  readonly maximized: boolean;
}

export const DEFAULT_STATE: WindowState = { width: 1440, height: 900, maximized: false };
export const LEAST_WIDTH = 900;
export const LEAST_HEIGHT = 600;
/** So much of a window must lie on a screen that it can be taken hold of. */
const GRIP = 100;

/** @param screens the work areas of the screens, in the same coordinates */
export function readWindowState(file: string, screens: readonly Rectangle[]): WindowState {
  try {
    return fitted(JSON.parse(readFileSync(file, 'utf8')) as unknown, screens);
  } catch {
    return DEFAULT_STATE;
  }
}

export function fitted(saved: unknown, screens: readonly Rectangle[]): WindowState {
  if (typeof saved !== 'object' || saved === null) return DEFAULT_STATE;
  const { x, y, width, height, maximized } = saved as Record<string, unknown>;
  if (!isSize(width, LEAST_WIDTH) || !isSize(height, LEAST_HEIGHT)) return DEFAULT_STATE;
  // One that is as large as no screens are draws for minutes, if at all.
  const size = {
    width: Math.min(width, extent(screens, 'x', 'width')),
    height: Math.min(height, extent(screens, 'y', 'height')),
    maximized: maximized === true,
  };
  if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y)) return size;
  const place = { x: x as number, y: y as number, width: size.width, height: size.height };
  return screens.some((screen) => overlap(place, screen)) ? { ...size, x: place.x, y: place.y } : size;
}

const isSize = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= 20_000;

/** Of all screens together: a window may lie on several. */
function extent(screens: readonly Rectangle[], at: 'x' | 'y', size: 'width' | 'height'): number {
  if (screens.length === 0) return Infinity;
  return Math.max(...screens.map((each) => each[at] + each[size])) - Math.min(...screens.map((each) => each[at]));
}

function overlap(window: Rectangle, screen: Rectangle): boolean {
  const across = Math.min(window.x + window.width, screen.x + screen.width) - Math.max(window.x, screen.x);
  // The bar at the top is what a window is moved by.
  return across >= GRIP && window.y >= screen.y && window.y <= screen.y + screen.height - GRIP;
}

/** Losing the place of a window must not keep it from closing. */
export function writeWindowState(file: string, state: WindowState): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    replaceFileSync(file, JSON.stringify(state));
  } catch (error) {
    console.error(`The place of the window cannot be saved: ${(error as Error).message}`);
  }
}
