/** The desktop app itself, where Electron's program is installed and the app is built (`electron-vite build`); skipped elsewhere. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron } from 'playwright-core';
import type { ElectronApplication, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BRIDGE_KEYS } from '../../preload/contract/bridge.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules/electron');
/** Undefined without a binary. Reading the package itself would try to download one. */
function binary(): string | undefined {
  const note = join(modules, 'path.txt');
  if (!existsSync(note)) return undefined;
  const path = join(modules, 'dist', readFileSync(note, 'utf8'));
  return existsSync(path) ? path : undefined;
}
const executablePath = binary();
const built = existsSync(join(root, 'out/main/index.js'));
const missing = executablePath === undefined ? 'no Electron binary' : built ? undefined : 'the app is not built';

describe.skipIf(missing !== undefined)(
  `the desktop app${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let home: string;
    let app: ElectronApplication;
    let page: Page;
    const violations: string[] = [];

    beforeAll(async () => {
      home = mkdtempSync(join(tmpdir(), 'sweeplab-desktop-'));
      app = await _electron.launch({
        executablePath,
        args: [root, `--user-data-dir=${join(home, 'user')}`],
        env: {
          ...(process.env as Record<string, string>),
          SWEEPLAB_HOME: join(home, 'lab'),
          SWEEPLAB_NODE: process.execPath,
        },
      });
      page = await app.firstWindow();
      page.on('console', (message) => {
        if (/Content Security Policy/u.test(message.text())) violations.push(message.text());
      });
      await page.waitForSelector('#app > *');
    });
    afterAll(async () => {
      await app?.close();
      rmSync(home, { recursive: true, force: true });
    });

    it('shows the interface from its own origin, without Node (would catch a page that loads from elsewhere)', async () => {
      expect(page.url()).toMatch(/^app:\/\/sweeplab\//u);
      expect(await page.evaluate('[typeof require, typeof process]')).toEqual(['undefined', 'undefined']);
      expect(await page.evaluate('Object.keys(window.sweeplab).sort()')).toEqual([...BRIDGE_KEYS].sort());
    });

    it('gives a page a connection to the lab (would catch a port that never arrives)', async () => {
      const hello = await page.evaluate(`new Promise((resolve) => {
      addEventListener('message', ({ data, ports }) => {
        if (data.type !== 'sweeplab:port' || data.token !== 'test') return;
        ports[0].onmessage = (event) => resolve(event.data);
      });
      window.sweeplab.connect('test');
    })`);
      expect(hello).toMatchObject({ kind: 'hello' });
    });

    it('goes nowhere else and opens no window (would catch a guard that is not attached)', async () => {
      await page.evaluate("location.href = 'https://127.0.0.1:9/'");
      await page.evaluate("window.open('https://127.0.0.1:9/') === null");
      expect(page.url()).toMatch(/^app:\/\/sweeplab\//u);
      expect(app.windows()).toHaveLength(1);
      expect(await page.evaluate("window.sweeplab.openExternal('file:///etc/passwd')")).toBe(false);
    });

    it('has no page outside of the build', async () => {
      for (const path of ['..%2f..%2fpackage.json', '%2e%2e%2fmain/index.js', 'missing.js'])
        expect(await page.evaluate(`fetch('app://sweeplab/${path}').then(({ status }) => status)`), path).toBe(404);
    });

    it('breaks no rule of its policy', () => {
      expect(violations).toEqual([]);
    });
  },
);
