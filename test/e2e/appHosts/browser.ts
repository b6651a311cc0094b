/** `sweeplab serve`, and a browser that looks at it. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { newContext, startLab } from '../harness.ts';
import { Visit } from '../visit.ts';
import type { AppHost } from './host.ts';

export function browserHost(): AppHost {
  const visit = new Visit();
  let page: Page;
  return {
    name: 'a browser',
    opensWindows: true,
    complaints: visit.complaints,
    begin: async () => (page = await visit.begin()),
    end: () => visit.end(),
    engines: () => visit.lab.engines(),
    async saved(action) {
      const [download] = await Promise.all([page.waitForEvent('download'), action()]);
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    },
    crash: (meanwhile) =>
      visit.complaints.expecting(/WebSocket|ERR_CONNECTION_REFUSED/u, async () => {
        await visit.lab.kill();
        await meanwhile();
        visit.lab = await startLab(visit.home, visit.lab.port);
      }),
    newPage: async () => await (await newContext(visit.browser, visit.complaints)).newPage(),
  };
}
