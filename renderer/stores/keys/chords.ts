/** Keys as text: what was pressed, which command it belongs to, how it is shown. Free of the DOM. */
import { isEnabled } from './registry.ts';
import type { Command } from './registry.ts';

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** `mod+k`, `shift+enter`, `?`. Shift is named only for keys that do not already show it. */
export function chordOf(press: KeyPress, mac: boolean): string {
  const key = press.key === ' ' ? 'space' : press.key.toLowerCase();
  const parts: string[] = [];
  if (mac ? press.metaKey : press.ctrlKey) parts.push('mod');
  if (mac ? press.ctrlKey : press.metaKey) parts.push(mac ? 'ctrl' : 'meta');
  if (press.altKey) parts.push('alt');
  const shows = press.key.length === 1 && !/[a-z0-9]/iu.test(press.key);
  if (press.shiftKey && !shows) parts.push('shift');
  parts.push(key);
  return parts.join('+');
}

export interface Matcher {
  /** The command of this chord, `'prefix'` when a second key may follow, or null: also for what looks like typing. */
  press(chord: string, time: number, commands: readonly Command[]): Command | 'prefix' | null;
}

/** How long the second key of a sequence may take. ms */
const PATIENCE = 1200;
/** Keys that follow each other faster than this are words, not shortcuts, once one of them was none. ms */
const TYPING = 700;
const isPlain = (chord: string): boolean => !/^(?:mod|ctrl|meta|alt)\+/u.test(chord);

export function createMatcher(): Matcher {
  let first = '';
  let at = 0;
  /** When the last letter came that was no shortcut: someone types, and believes to be in a field. */
  let missed = -Infinity;
  return {
    press(chord, time, commands) {
      if (isPlain(chord) && time - missed < TYPING) {
        missed = time;
        first = '';
        return null;
      }
      const sequence = first !== '' && time - at < PATIENCE ? `${first} ${chord}` : null;
      first = '';
      for (const wanted of sequence === null ? [chord] : [sequence, chord]) {
        // The newest command of a key wins: it belongs to the view that is shown.
        const found = commands.findLast((command) => command.keys?.includes(wanted) === true && isEnabled(command));
        if (found !== undefined) return found;
      }
      if (commands.some((command) => command.keys?.some((keys) => keys.startsWith(`${chord} `)) === true)) {
        first = chord;
        at = time;
        return 'prefix';
      }
      if (isPlain(chord) && chord.length === 1) missed = time;
      return null;
    },
  };
}

export const isMac = (): boolean => typeof navigator !== 'undefined' && /mac/iu.test(navigator.platform);

/** `mod+k` → ["⌘", "K"] or ["Ctrl", "K"]; sequences have "then" between their keys. */
export function keyLabels(keys: string, mac = isMac()): string[] {
  const names: Record<string, string> = {
    mod: mac ? '⌘' : 'Ctrl',
    shift: mac ? '⇧' : 'Shift',
    alt: mac ? '⌥' : 'Alt',
    enter: '↵',
    escape: 'Esc',
    arrowup: '↑',
    arrowdown: '↓',
    arrowleft: '←',
    arrowright: '→',
    space: 'Space',
  };
  return keys
    .split(' ')
    .map((chord) => chord.split(/\+(?=.)/u).map((key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key)))
    .reduce<string[]>((all, chord, i) => (i === 0 ? chord : [...all, 'then', ...chord]), []);
}
