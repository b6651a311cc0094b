/** What the desktop app does that a browser does not, as a person meets it. The steps build on each other. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BRIDGE_KEYS, CHANNELS } from '../../../preload/contract/bridge.ts';
import { Desktop, whyNoDesktop } from '../desktop.ts';
import type { Kind } from '../desktop.ts';
import { newHome, removeHome } from '../harness.ts';
import { filesSteps } from './files.ts';
import { lifeSteps } from './life.ts';
import { openingSteps } from './opening.ts';
import { policySteps } from './policies.ts';

/** @param app the folder of the built app; the one of this repository where it is left out */
export async function describeDesktop(kind: Kind, app?: string): Promise<void> {
  const missing = await whyNoDesktop(kind);
  if (missing !== undefined) console.warn(`SKIPPED: the desktop app on ${kind} (${missing})`);

  describe.skipIf(missing !== undefined)(
    `the desktop app on ${kind}${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    () => {
      const desktop = new Desktop(kind, newHome(), app);
      beforeAll(async () => {
        await desktop.start();
      });
      afterEach(async () => {
        await desktop.collect();
        expect(desktop.complaints.take(), 'what the browser complained about').toEqual([]);
      });
      afterAll(async () => {
        await desktop.kill();
        removeHome(desktop.home);
      });

      policySteps(desktop);
      filesSteps(desktop);
      lifeSteps(desktop);
      openingSteps(desktop);

      it('has each key of the bridge used by then (would catch a new one that no step tries)', () => {
        expect(BRIDGE_KEYS.filter((key) => !desktop.heard.has(CHANNELS[key]))).toEqual([]);
      });

      it('goes wrong nowhere in its own process (would catch an error that only a log sees)', () => {
        const wrong = desktop.said
          .split('\n')
          .filter((line) => /JavaScript error|Unhandled|Error occurred/u.test(line));
        expect(wrong.filter((line) => !line.includes('This page may not ask for that.'))).toEqual([]);
      });
    },
  );
}
