/** Taking a sweep file into the draft: chosen, dropped on the view, pasted as text that looks like one, or opened
 * by the system in the desktop app. */
import { counted } from '../../../preload/shared/format.ts';
import { onBeforeUnmount, onMounted, ref, watch } from 'vue';
import { textOf } from '../../../preload/shared/textEncoding.ts';
import { isEditing } from '../../commands/keys.ts';
import { openedSweep } from '../../stores/openedSweep.ts';
import { useToasts } from '../../stores/toasts.ts';
import type { useBuilder } from '../../stores/draft.ts';

const MOST_BYTES = 1_000_000;

/** Handlers for the view's elements. `onTaken` is called when a text has become the draft's YAML. */
export function useSweepImport(builder: ReturnType<typeof useBuilder>, onTaken: () => void) {
  const toasts = useToasts();
  const dragging = ref(false);

  async function open(input: File): Promise<void> {
    if (input.size > MOST_BYTES) {
      toasts.show({
        level: 'bad',
        message: `${input.name} has ${counted(input.size, 'byte')}: more than a sweep file may have (1 MB)`,
      });
      return;
    }
    try {
      take(textOf(new Uint8Array(await input.arrayBuffer())), input.name);
    } catch (error) {
      toasts.show({ level: 'bad', message: `${input.name} cannot be read: ${(error as Error).message}` });
    }
  }
  function take(text: string, from: string): void {
    onTaken();
    builder.takeText(text, from);
  }
  function picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    const [chosen] = input.files ?? [];
    if (chosen !== undefined) void open(chosen);
    input.value = '';
  }
  function dropped(event: DragEvent): void {
    dragging.value = false;
    const [chosen] = event.dataTransfer?.files ?? [];
    if (chosen !== undefined) void open(chosen);
  }
  function dragOver(event: DragEvent): void {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    dragging.value = true;
  }
  function pasted(event: ClipboardEvent): void {
    if (isEditing(document.activeElement)) return;
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (!/^\s*(parameters|method|recipe|settings)\s*:/mu.test(text)) return;
    event.preventDefault();
    take(text, 'the clipboard');
  }

  watch(
    () => [builder.loaded, openedSweep.value] as const,
    ([loaded, opened]) => {
      if (!loaded || opened === null) return;
      openedSweep.value = null;
      take(opened.text, opened.name);
    },
    { immediate: true },
  );
  onMounted(() => document.addEventListener('paste', pasted));
  onBeforeUnmount(() => document.removeEventListener('paste', pasted));
  return { dragging, picked, dropped, dragOver };
}
