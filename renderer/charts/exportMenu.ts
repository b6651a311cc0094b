/** The export menu of a chart. */
import type { MenuEntry } from '../../components/menu.ts';
import { saveBlob, saveText } from '../../charts/draw/save.ts';
import { useToasts } from '../../stores/toasts.ts';

export function exportEntries(
  name: string,
  picture: (kind: 'png' | 'svg') => Promise<Blob> | undefined,
  csv: () => string,
): MenuEntry[] {
  const save = async (kind: 'png' | 'svg'): Promise<void> => {
    try {
      const blob = await picture(kind);
      if (blob !== undefined) saveBlob(blob, `${name}.${kind}`);
    } catch (error) {
      useToasts().fail(`Could not draw ${name} into a file`, error);
    }
  };
  return [
    { label: 'PNG picture', icon: 'download', run: () => save('png') },
    { label: 'SVG picture', icon: 'download', run: () => save('svg') },
    { label: 'CSV of what is shown', icon: 'download', run: () => saveText(csv(), `${name}.csv`) },
  ];
}
