/** Keys to commands. Plain keys are left alone while someone types. */
import { allCommands } from '../stores/keys/registry.ts';
import { chordOf, createMatcher, isMac } from '../stores/keys/chords.ts';

/** Whether typing goes into `element`. */
export function isEditing(element: Element | null): boolean {
  if (element === null) return false;
  if ((element as HTMLElement).isContentEditable) return true;
  if (element.tagName === 'TEXTAREA' || element.tagName === 'SELECT') return true;
  if (element.tagName !== 'INPUT') return false;
  return !['checkbox', 'radio', 'range', 'button', 'submit'].includes((element as HTMLInputElement).type);
}

export function startKeys(): void {
  const matcher = createMatcher();
  window.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || ['Control', 'Shift', 'Alt', 'Meta'].includes(event.key)) return;
    const chord = chordOf(event, isMac());
    const plain = !/^(?:mod|ctrl|meta|alt)\+/u.test(chord);
    if (plain && isEditing(document.activeElement)) return;
    // A dialog has the keys for itself.
    if (plain && document.querySelector('[role="dialog"][data-modal]') !== null) return;
    const found = matcher.press(chord, event.timeStamp, allCommands.value);
    if (found === null) return;
    event.preventDefault();
    if (found !== 'prefix') void found.run();
  });
}
