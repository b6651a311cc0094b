/** The menu of the desktop app as data. Commands are named by their ids in the interface's registry, which does what they say. */

export interface MenuCommand {
  /** Of the registry. */
  readonly id: string;
  readonly title: string;
  /** Shown beside the title; the registry itself listens to the keys. */
  readonly keys?: string;
}
export type MenuEntry = MenuCommand | 'separator';

export interface CommandMenu {
  readonly title: string;
  readonly entries: readonly MenuEntry[];
}

export const COMMAND_MENUS: readonly CommandMenu[] = [
  {
    title: 'Lab',
    entries: [
      { id: 'sweep.new', title: 'New sweep' },
      { id: 'runs.import', title: 'Import runs…' },
      'separator',
      { id: 'queue.pause', title: 'Pause the queue' },
      { id: 'queue.resume', title: 'Resume the queue' },
      'separator',
      { id: 'app.palette', title: 'All commands', keys: 'mod+k' },
    ],
  },
  {
    title: 'Go',
    entries: [
      { id: 'view.start', title: 'Start' },
      { id: 'view.builder', title: 'Builder' },
      { id: 'view.fit', title: 'Fit' },
      { id: 'view.board', title: 'Board' },
      { id: 'view.sweeps', title: 'Sweeps' },
      { id: 'view.queue', title: 'Queue' },
      { id: 'view.data', title: 'Data' },
      'separator',
      { id: 'view.settings', title: 'Settings' },
    ],
  },
  {
    title: 'Look',
    entries: [
      { id: 'frame.list', title: 'Show or hide the list' },
      { id: 'frame.inspector', title: 'Show or hide the inspector' },
      'separator',
      { id: 'theme.system', title: 'Theme: follow the system' },
      { id: 'theme.light', title: 'Theme: light' },
      { id: 'theme.dark', title: 'Theme: dark' },
      { id: 'density.toggle', title: 'Compact or normal rows' },
    ],
  },
  {
    title: 'Help',
    entries: [
      { id: 'view.help', title: 'Guide' },
      { id: 'app.keys', title: 'Keyboard shortcuts' },
    ],
  },
];
