/** The menu of all windows: what stands in it, and which keys it takes of those that pages leave. */
import type { Said } from './contents.ts';
import { app } from './app.ts';
import { focusedWindow } from './window.ts';
import type { BrowserWindow } from './window.ts';

interface Role {
  readonly label: string;
  readonly accelerator?: string;
  act?(window: BrowserWindow | undefined): void;
}

/** What editing does is Chromium's own here; zoom is a thing of windows that DevTools cannot set. */
const ROLES: Readonly<Record<string, Role>> = {
  quit: { label: 'Quit', accelerator: 'CommandOrControl+Q', act: () => app.quit() },
  close: { label: 'Close Window', accelerator: 'CommandOrControl+W', act: (window) => window?.close() },
  minimize: { label: 'Minimize', accelerator: 'CommandOrControl+M', act: (window) => window?.minimize() },
  togglefullscreen: {
    label: 'Toggle Full Screen',
    accelerator: process.platform === 'darwin' ? 'Control+Command+F' : 'F11',
    act: (window) => window?.setFullScreen(!window.isFullScreen()),
  },
  resetzoom: { label: 'Actual Size', accelerator: 'CommandOrControl+0' },
  zoomin: { label: 'Zoom In', accelerator: 'CommandOrControl+Plus' },
  zoomout: { label: 'Zoom Out', accelerator: 'CommandOrControl+-' },
  editmenu: { label: 'Edit' },
  appmenu: { label: app.getName() },
};

type Template = Electron.MenuItemConstructorOptions;

export class MenuItem {
  readonly label: string;
  readonly type: string;
  readonly accelerator: string | undefined;
  readonly registerAccelerator: boolean;
  readonly submenu: Menu | undefined;
  readonly click: () => void;

  constructor(template: Template) {
    const role = template.role === undefined ? undefined : ROLES[template.role.toLowerCase()];
    if (template.role !== undefined && role === undefined) throw new Error(`Unknown role: ${template.role}`);
    const { label = role?.label, type, submenu, click } = template;
    if (label === undefined && type !== 'separator') throw new Error('A menu item needs a label, a role or a type');
    this.label = label ?? '';
    this.type = type ?? (submenu === undefined ? 'normal' : 'submenu');
    this.accelerator = (template.accelerator ?? role?.accelerator) || undefined;
    this.registerAccelerator = template.registerAccelerator ?? true;
    this.submenu = Array.isArray(submenu) ? Menu.buildFromTemplate(submenu) : undefined;
    this.click = () => {
      const window = focusedWindow();
      if (role?.act !== undefined) role.act(window);
      else
        click?.(
          this as unknown as Electron.MenuItem,
          window as unknown as Electron.BaseWindow,
          {} as Electron.KeyboardEvent,
        );
    };
  }
}

let current: Menu | null = null;

export class Menu {
  readonly items: readonly MenuItem[];

  private constructor(items: readonly MenuItem[]) {
    this.items = items;
  }

  static buildFromTemplate(template: readonly Template[]): Menu {
    return new Menu(template.map((each) => new MenuItem(each)));
  }

  static setApplicationMenu(menu: Menu | null): void {
    current = menu;
  }

  static getApplicationMenu(): Menu | null {
    return current;
  }
}

/** `CommandOrControl+Shift+K` and what a keyboard says, written alike. */
function written(accelerator: string): string {
  const parts = accelerator.split('+').map((part) => part.toLowerCase());
  const apple = process.platform === 'darwin';
  const name = (part: string): string => {
    if (part === 'commandorcontrol' || part === 'cmdorctrl') return apple ? 'meta' : 'control';
    if (part === 'command' || part === 'cmd' || part === 'super') return 'meta';
    if (part === 'ctrl') return 'control';
    return part === 'plus' ? 'plus' : part;
  };
  return parts.map(name).sort().join('+');
}

const typed = ({ key, ctrlKey, metaKey, altKey, shiftKey }: Said): string =>
  [
    key === '+' ? 'plus' : key.toLowerCase(),
    ...(ctrlKey ? ['control'] : []),
    ...(metaKey ? ['meta'] : []),
    ...(altKey ? ['alt'] : []),
    // A sign that needs this key to be typed is named by itself.
    ...(shiftKey && key !== '+' ? ['shift'] : []),
  ]
    .sort()
    .join('+');

/** A key that the page did not want. */
export function pressed(said: Said): void {
  const keys = typed(said);
  const find = (menu: Menu): MenuItem | undefined => {
    for (const item of menu.items) {
      const found = item.submenu === undefined ? undefined : find(item.submenu);
      if (found !== undefined) return found;
      if (item.registerAccelerator && item.accelerator !== undefined && written(item.accelerator) === keys) return item;
    }
    return undefined;
  };
  if (current !== null) find(current)?.click();
}
