/** Files that are dropped anywhere, and what is pasted where nobody types: runs to import. Views that take files of their own come first. */
import { ref } from 'vue';
import { chosenIn, droppedIn } from '../connect/chosen.ts';
import { useImporting } from '../stores/importing/index.ts';
import { useToasts } from '../stores/toasts.ts';
import { isEditing } from './keys.ts';

/** Files are held over the page, and may be let go. */
export const filesOver = ref(false);

/** Another dialog is open, which knows nothing of files. */
const isCovered = (): boolean => !useImporting().open && document.querySelector('[role="dialog"][data-modal]') !== null;

const holdsFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false;

/** A single line is a word to search for, not a table. */
const isTable = (text: string): boolean => /\S[^\S\n]*\n\s*\S/u.test(text);

export function startTaking(): void {
  const importing = useImporting();
  window.addEventListener('dragover', (event) => {
    if (event.defaultPrevented || !holdsFiles(event)) return void (filesOver.value = false);
    // Otherwise the browser would open them in place of the page.
    event.preventDefault();
    event.dataTransfer!.dropEffect = isCovered() ? 'none' : 'copy';
    filesOver.value = !isCovered();
  });
  window.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) filesOver.value = false;
  });
  window.addEventListener('drop', (event) => {
    filesOver.value = false;
    if (event.defaultPrevented || !holdsFiles(event)) return;
    event.preventDefault();
    if (isCovered()) return;
    droppedIn(event.dataTransfer!).then(importing.chooseFiles, (error: unknown) =>
      useToasts().fail('What was dropped cannot be read', error),
    );
  });
  window.addEventListener('paste', (event) => {
    if (event.defaultPrevented || isCovered() || isEditing(document.activeElement)) return;
    const files = chosenIn(event.clipboardData?.files ?? null);
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (files.length > 0) void importing.chooseFiles(files);
    else if (isTable(text)) void importing.paste(text);
    else return;
    event.preventDefault();
  });
}
