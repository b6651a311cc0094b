/** The builder's commands in the palette, with their keys. */
import type { Ref } from 'vue';
import { useCommands } from '../../stores/keys/registry.ts';
import { navigate } from '../../frame/router.ts';
import type { useBuilder } from '../../stores/draft.ts';

interface View {
  readonly builder: ReturnType<typeof useBuilder>;
  readonly onlyChanged: Ref<boolean>;
  /** `settings` or `yaml`. */
  readonly tab: Ref<string>;
  openFile(): void;
}

export function useBuilderCommands({ builder, onlyChanged, tab, openFile }: View): void {
  useCommands([
    {
      id: 'builder.undo',
      title: 'Undo the last change',
      section: 'Builder',
      keys: ['mod+z'],
      enabled: () => builder.canUndo,
      run: builder.undo,
    },
    {
      id: 'builder.redo',
      title: 'Redo',
      section: 'Builder',
      keys: ['mod+shift+z', 'mod+y'],
      enabled: () => builder.canRedo,
      run: builder.redo,
    },
    {
      id: 'builder.changed',
      title: 'Changed settings only',
      section: 'Builder',
      keys: ['c'],
      run: () => (onlyChanged.value = !onlyChanged.value),
    },
    {
      id: 'builder.yaml',
      title: 'Edit as YAML',
      section: 'Builder',
      keys: ['y'],
      run: () => (tab.value = tab.value === 'yaml' ? 'settings' : 'yaml'),
    },
    {
      id: 'builder.open',
      title: 'Open a sweep file',
      section: 'Builder',
      keys: ['mod+o'],
      also: 'import W&B YAML',
      run: () => openFile(),
    },
    { id: 'builder.clear', title: 'Clear the draft', section: 'Builder', run: builder.clear },
    {
      id: 'builder.fit',
      title: 'Look at the memory of this draft',
      section: 'Builder',
      run: () => navigate('/fit', { from: 'draft' }),
    },
  ]);
}
