/** Names, tags, notes and generated texts that hold SVG, HTML and Markdown, in a real browser: they are text, everywhere. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import { go, whyNot } from '../e2e/harness.ts';
import { useVisit } from '../e2e/visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: names in a browser (${missing})`);

const SVG = '<svg id="evil" onload="window.evil=1"><script>window.evil=1</script></svg>';
const IMAGE = '<img id="evil" src=x onerror="window.evil=1">';
const MARKDOWN = '[here](javascript:window.evil=1) ![x](http://evil.example/x.png) **bold** <b id="evil">b</b>';
const TURNED = 'safe\u202Etxt.exe';

describe.skipIf(missing !== undefined)('texts from anywhere in the interface', () => {
  const visit = useVisit();
  const { home } = visit;
  let page: Page;
  let run: string;
  let sweep: string;

  beforeAll(async () => {
    const store = openStore(join(home, 'runs.sqlite'));
    const config = { 'optimizer.lr': 0.1, 'data.corpus': IMAGE };
    const made = store.createSweep({ name: SVG, spec: { notes: MARKDOWN }, yaml: `# ${SVG}\n` }, [
      { name: IMAGE, config, seed: 1, settingKey: SVG },
      { name: MARKDOWN, config: { ...config, 'optimizer.lr': 0.2 }, seed: 1, settingKey: IMAGE },
    ]);
    sweep = made.sweep.id;
    run = made.runs[0]!.id;
    for (const { id } of made.runs) {
      store.tagRuns([id], [SVG, TURNED]);
      store.updateRun(id, { note: `${MARKDOWN}\n${IMAGE}` });
      store.claimNext({ runId: id });
      await store.appendMetrics(id, [
        { metric: `val/${SVG}`, steps: Float64Array.of(1, 2), values: Float64Array.of(1, 2) },
        { metric: 'val/loss', steps: Float64Array.of(1, 2), values: Float64Array.of(2, 1) },
      ]);
      await store.appendEvent({ runId: id, kind: 'log', message: 'sample', data: { step: 1, text: SVG + MARKDOWN } });
      store.setRunStates([id], 'failed', { reason: IMAGE });
    }
    store.close();
    page = await visit.begin();
  });

  it.each(['/', '/sweeps', '/board?sweep=SWEEP', '/run/RUN', '/sweep/SWEEP', '/data', '/fit'])(
    '%s shows them and runs nothing',
    async (path) => {
      await go(page, path.replace('RUN', run).replace('SWEEP', sweep));
      const found = await page.evaluate(`({
      evil: window.evil ?? null,
      elements: document.querySelectorAll('#evil, [onload], [onerror], a[href^="javascript:"]').length,
      images: [...document.images].map(({ src }) => src).filter((src) => src.includes('evil')),
    })`);
      expect(found).toEqual({ evil: null, elements: 0, images: [] });
      // A policy that had to step in would be the second line of defence: the first must hold.
      expect(visit.complaints.take()).toEqual([]);
    },
  );

  it('the text itself is there (would catch pages that hide what they cannot show)', async () => {
    await go(page, `/run/${run}`);
    expect(await page.locator('main').innerText()).toContain('<img id="evil"');
  });
});
