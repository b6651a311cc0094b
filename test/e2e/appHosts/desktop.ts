/** The built desktop app, on Electron or its stand-in. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { Desktop } from '../desktop.ts';
import type { Kind } from '../desktop.ts';
import { enginesOf, newContext, newHome, openBrowser, removeHome, until } from '../harness.ts';
import type { AppHost } from './host.ts';

export function desktopHost(kind: Kind): AppHost {
  let desktop: Desktop;
  let browser: Browser | undefined;
  let saved = 0;
  return {
    name: `the desktop app on ${kind}`,
    opensWindows: false,
    get complaints() {
      return desktop.complaints;
    },
    async begin() {
      desktop = new Desktop(kind, newHome());
      const page = await desktop.start();
      await desktop.main(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0].setBounds({ x: 0, y: 0, width: 1440, height: 900 }),
      );
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      return page;
    },
    async end() {
      await browser?.close();
      await desktop.kill();
      removeHome(desktop.home);
    },
    engines: () => enginesOf(join(desktop.home, 'lab')),
    async saved(action) {
      await action();
      const name = basename((await desktop.question()).options.defaultPath!);
      // Of a name of its own: what is said of an earlier file may still stand there.
      const chosen = `${(saved += 1)}-${name}`;
      const path = join(desktop.home, chosen);
      await desktop.choose(path);
      await desktop.page
        .getByRole('region', { name: 'Messages' })
        .locator('.toast', { hasText: `Saved ${chosen}` })
        .waitFor();
      return { name, bytes: readFileSync(path) };
    },
    async crash() {
      const before = await desktop.labProcess();
      process.kill(before, 'SIGKILL');
      // It is started again by itself.
      await until(
        () => desktop.labProcess(),
        (pid) => pid !== before,
        'another process of the lab',
      );
    },
    async newPage() {
      browser ??= await openBrowser();
      return await (await newContext(browser, desktop.complaints)).newPage();
    },
  };
}
