/**
 * Every command, once: the palette, the keys, the overlay of keys and the desktop menu are views of this list.
 * Keys are written `mod+k` (Ctrl, on a Mac ⌘), `shift+r`, `?`, or two in a row: `g b`.
 */
import { computed, onScopeDispose, shallowRef } from 'vue';

export interface Command {
  /** Stable, dotted: `view.board`, `run.stop`. */
  readonly id: string;
  readonly title: string;
  readonly section: string;
  readonly keys?: readonly string[];
  /** Words to be found by beside the title. */
  readonly also?: string;
  readonly enabled?: () => boolean;
  readonly run: () => unknown;
}

const commands = shallowRef<ReadonlyMap<string, Command>>(new Map());

/** Adds commands and returns the function that removes them. A later command of the same id hides the earlier one. */
export function addCommands(list: readonly Command[]): () => void {
  const next = new Map(commands.value);
  const hidden = new Map<string, Command | undefined>();
  for (const command of list) {
    hidden.set(command.id, next.get(command.id));
    next.set(command.id, command);
  }
  commands.value = next;
  return () => {
    const rest = new Map(commands.value);
    for (const command of list) {
      // Replaced by someone else meanwhile: theirs stays.
      if (rest.get(command.id) !== command) continue;
      const before = hidden.get(command.id);
      if (before === undefined) rest.delete(command.id);
      else rest.set(command.id, before);
    }
    commands.value = rest;
  };
}

/** Commands of a view: they live as long as the component. */
export function useCommands(list: readonly Command[]): void {
  onScopeDispose(addCommands(list));
}

export const allCommands = computed(() => [...commands.value.values()]);

export const isEnabled = (command: Command): boolean => command.enabled?.() ?? true;

export function runCommand(id: string): boolean {
  const command = commands.value.get(id);
  if (command === undefined || !isEnabled(command)) return false;
  void command.run();
  return true;
}

/** How well `query` matches: characters in order, better at the beginnings of words. 0 = not at all. */
function matchScore(query: string, text: string): number {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return 1;
  const lower = text.toLowerCase();
  const at = lower.indexOf(wanted);
  if (at === 0) return 1000;
  if (at > 0) return (/[\s.:/_-]/u.test(lower[at - 1]) ? 800 : 500) - Math.min(at, 100);
  let score = 0;
  let from = 0;
  for (const character of wanted) {
    if (character === ' ') continue;
    const found = lower.indexOf(character, from);
    if (found < 0) return 0;
    score += found === 0 || /[\s.:/_-]/u.test(lower[found - 1]) ? 10 : found === from ? 4 : 1;
    from = found + 1;
  }
  // Scattered letters of a long text are no match.
  return score / wanted.length >= 3 ? Math.min(400, score) : 0;
}

/** Enabled commands that match, the best first; in their own order for an empty query. */
export function findCommands(query: string, list: readonly Command[] = allCommands.value): Command[] {
  return list
    .filter(isEnabled)
    .map((command) => ({
      command,
      score: Math.max(
        matchScore(query, command.title),
        matchScore(query, `${command.section} ${command.also ?? ''}`) / 2,
      ),
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => (query.trim() === '' ? 0 : b.score - a.score))
    .map(({ command }) => command);
}
