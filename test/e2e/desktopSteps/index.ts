/** What the desktop app does that a browser does not, as a person meets it. The steps build on each other. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BRIDGE_KEYS } from '../../preload/contract/bridge.ts';
import { Desktop, whyNoDesktop } from './desktop.ts';
import type { Kind } from './desktop.ts';
import { newHome, removeHome } from './harness.ts';

export async function describeDesktop(kind: Kind): Promise<void> {
  const missing = await whyNoDesktop(kind);
  if (missing !== undefined) console.warn(`SKIPPED: the desktop app on ${kind} (${missing})`);

  describe.skipIf(missing !== undefined)(
    `the desktop app on ${kind}${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    () => {
      const desktop = new Desktop(kind, newHome());

      beforeAll(async () => {
        await desktop.start();
      });
      afterEach(() => expect(desktop.complaints.take(), 'what the browser complained about').toEqual([]));
      afterAll(async () => {
        await desktop.kill();
        removeHome(desktop.home);
      });

      it('shows the interface from its own origin, without Node (would catch a page that loads from elsewhere)', async () => {
        const { page } = desktop;
        expect(
          await desktop.main(({ BrowserWindow }) =>
            BrowserWindow.getAllWindows().map((each) => each.webContents.getURL()),
          ),
        ).toEqual([expect.stringMatching(/^app:\/\/sweeplab\/index\.html/u)]);
        expect(await page.evaluate('[typeof require, typeof process, typeof module]')).toEqual(
          Array(3).fill('undefined'),
        );
        expect(await page.evaluate('Object.keys(window.sweeplab).sort()')).toEqual([...BRIDGE_KEYS].sort());
      });
    },
  );
}
