/** The menu: the system's own parts, and the commands of the interface's registry by their ids. */
import { Menu } from 'electron';
import type { MenuItemConstructorOptions } from 'electron';
import { COMMAND_MENUS } from '../../preload/contract/menu.ts';
import type { MenuEntry } from '../../preload/contract/menu.ts';

/** `mod+k` as Electron writes it. */
const accelerator = (keys: string): string =>
  keys
    .split('+')
    .map((key) => (key === 'mod' ? 'CommandOrControl' : key.charAt(0).toUpperCase() + key.slice(1)))
    .join('+');

function menuTemplate(platform: string, run: (id: string) => void): MenuItemConstructorOptions[] {
  const item = (entry: MenuEntry): MenuItemConstructorOptions =>
    entry === 'separator'
      ? { type: 'separator' }
      : {
          label: entry.title,
          click: () => run(entry.id),
          // Only shown: the registry listens to the keys, and would do it twice.
          ...(entry.keys !== undefined && { accelerator: accelerator(entry.keys), registerAccelerator: false }),
        };
  const commands = COMMAND_MENUS.map(({ title, entries }) => ({ label: title, submenu: entries.map(item) }));
  const help = commands.findIndex(({ label }) => label === 'Help');
  const own: MenuItemConstructorOptions[] = platform === 'darwin' ? [{ role: 'appMenu' }] : [];
  const file: MenuItemConstructorOptions = {
    label: 'File',
    submenu: [{ role: platform === 'darwin' ? 'close' : 'quit' }],
  };
  const zoom: MenuItemConstructorOptions = {
    label: 'Window',
    submenu: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
      { role: 'minimize' },
    ],
  };
  return [...own, file, { role: 'editMenu' }, ...commands.slice(0, help), zoom, ...commands.slice(help)];
}

export function setMenu(run: (id: string) => void): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, run)));
}
