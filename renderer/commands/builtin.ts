/** Commands that are always there. */
import { bridge } from '../connect/bridgePort.ts';
import { useLayout } from '../frame/layout.ts';
import { RAIL, RAIL_END } from '../frame/rail.ts';
import { navigate } from '../frame/router.ts';
import { useImporting } from '../stores/importing/index.ts';
import { usePreferences } from '../stores/preferences.ts';
import { useQueue } from '../stores/queue.ts';
import { addCommands } from '../stores/keys/registry.ts';
import type { Command } from '../stores/keys/registry.ts';
import { inviteOpen, keysOpen, paletteOpen } from '../stores/keys/overlays.ts';

/** The search field of what is shown: the list's first, else the content's. */
function focusSearch(): void {
  const fields = [...document.querySelectorAll<HTMLInputElement>('input[type="search"]')];
  const field = fields.find((each) => each.offsetParent !== null);
  field?.focus();
  field?.select();
}

export function registerCommands(): () => void {
  const preferences = usePreferences();
  const queue = useQueue();
  const layout = useLayout();
  const importing = useImporting();
  const themes = ['system', 'light', 'dark'] as const;
  const views: Command[] = [...RAIL, ...RAIL_END].map(({ name, label, path, key }) => ({
    id: `view.${name}`,
    title: `Go to ${label.toLowerCase()}`,
    section: 'Go',
    keys: [`g ${key}`],
    also: label,
    run: () => navigate(path),
  }));
  return addCommands([
    {
      id: 'app.palette',
      title: 'All commands',
      section: 'General',
      keys: ['mod+k'],
      run: () => (paletteOpen.value = !paletteOpen.value),
    },
    {
      id: 'app.keys',
      title: 'Keyboard shortcuts',
      section: 'General',
      keys: ['?'],
      run: () => (keysOpen.value = true),
    },
    {
      id: 'app.invite',
      title: 'Connect another browser…',
      section: 'General',
      also: 'device address link phone laptop share',
      // The desktop app serves none.
      enabled: () => bridge() === undefined,
      run: () => (inviteOpen.value = true),
    },
    { id: 'app.search', title: 'Search what is shown', section: 'General', keys: ['/'], run: focusSearch },
    ...views,
    {
      id: 'sweep.new',
      title: 'New sweep',
      section: 'Do',
      keys: ['g n'],
      also: 'build experiment',
      run: () => navigate('/builder'),
    },
    {
      id: 'program.new',
      title: 'Sweep over a program',
      section: 'Do',
      also: 'script python command run agent',
      run: () => navigate('/program'),
    },
    {
      id: 'runs.import',
      title: 'Import runs…',
      section: 'Do',
      keys: ['g i'],
      also: 'read open file folder csv wandb tensorboard mlflow paste drop upload',
      run: () => (importing.open = true),
    },
    {
      id: 'queue.pause',
      title: 'Pause the queue',
      section: 'Do',
      also: 'hold wait',
      enabled: () => queue.state?.paused === false,
      run: queue.pause,
    },
    {
      id: 'queue.resume',
      title: 'Resume the queue',
      section: 'Do',
      enabled: () => queue.state?.paused === true,
      run: queue.resume,
    },
    {
      id: 'frame.list',
      title: 'Show or hide the list',
      section: 'Look',
      keys: ['['],
      enabled: () => layout.hasList.value,
      run: () => layout.toggleList(),
    },
    {
      id: 'frame.inspector',
      title: 'Show or hide the inspector',
      section: 'Look',
      keys: [']'],
      enabled: () => layout.hasInspector.value,
      run: () => layout.toggleInspector(),
    },
    ...themes.map((theme) => ({
      id: `theme.${theme}`,
      title: theme === 'system' ? 'Theme: follow the system' : `Theme: ${theme}`,
      section: 'Look',
      also: 'dark mode colours',
      enabled: () => preferences.theme !== theme,
      run: () => {
        preferences.theme = theme;
      },
    })),
    {
      id: 'density.toggle',
      title: 'Compact or normal rows',
      section: 'Look',
      also: 'density',
      run: () => {
        preferences.density = preferences.density === 'compact' ? 'normal' : 'compact';
      },
    },
  ]);
}
