/** The report: one page that needs nothing else, says what it knows, and runs nothing that a name brings along. */
import { expect, it } from 'vitest';
import { exportPieces } from '../../../main/lab/exchange/exports.ts';
import { report } from '../../../main/lab/exchange/report.ts';
import type { Store } from '../../../main/store/index.ts';
import { randomNumbers, randomRuns } from './randomRuns.ts';
import { storeInFolder } from './storeInFolder.ts';

let store: Store;
storeInFolder((made) => ({ store } = made));

const SETTINGS = { names: ['model.depth', 'optimizer.lr'], defaults: { 'model.depth': 2, 'optimizer.lr': 0.001 } };
const random = randomNumbers(Number(process.env.SWEEPLAB_TEST_SEED ?? 3));

async function pageOf(runs = store.listRuns()): Promise<string> {
  let page = '';
  for await (const piece of exportPieces(store, SETTINGS, report, { runs })) page += piece as string;
  return page;
}

/** Depths whose losses lie far apart; the last has failed in all of its seeds. */
async function sweep(name: string): Promise<void> {
  const planned = [1, 2, 3].flatMap((depth) =>
    [1, 2, 3].map((seed) => ({
      name: `<b>${depth}</b>`,
      config: { 'model.depth': depth, 'optimizer.lr': 0.001, seed },
      seed,
      settingKey: `d${depth}`,
      codeVersion: 'abc123',
      environment: { cpu: 'a "processor"' },
    })),
  );
  const spec = { metric: { name: 'val/loss', goal: 'minimize' } };
  for (const { id, config } of store.createSweep({ name, spec, yaml: 'a: <script>\nb: 2\n' }, planned).runs) {
    store.setRunState(id, 'running');
    const depth = Number(config['model.depth']);
    const steps = Float64Array.from({ length: 20 }, (_, i) => i);
    const values = steps.map((step) => depth + 1 / (1 + step) + 0.001 * random());
    await store.appendMetrics(id, [{ metric: 'val/loss', steps, values }], {
      steps: 20,
      tokens: 640,
      summary: { 'val/loss': values[19] },
    });
    if (depth === 3) store.setRunState(id, 'failed', { reason: 'loss is NaN' });
    else store.setRunState(id, 'finished');
  }
}

it('ranks with N and test, and has charts, runs, configuration and code version', async () => {
  await sweep('depths');
  const page = await pageOf();
  expect(page).toMatch(/Best: depth 1, val\/loss 1\.\d+ ± [\d.]+, N 3\./u);
  expect(page).toContain('>worse<');
  expect(page).toContain('corrected for many comparisons');
  expect(page).toContain('loss is NaN');
  for (const title of ['val/loss', 'val/loss against model.depth', 'val/loss against training time'])
    expect(page, title).toContain(`>${title}<`);
  // Light and dark of each.
  expect(page.match(/<div class="light"><svg/gu)!.length).toBe(page.match(/<div class="dark"><svg/gu)!.length);
  expect(page).toContain('abc123');
  expect(page).toContain('a: &lt;script&gt;\nb: 2');
  expect(page).toMatch(/<td>model\.depth<\/td><td>1, 2, 3<\/td>/u);
});

it('needs nothing from anywhere, and runs nothing (would catch a page that is empty offline, or a name that is a script)', async () => {
  await sweep('<img src=x onerror=alert(1)> "Tiefe" Глубина');
  const page = await pageOf();
  expect(page).not.toMatch(/<script|<img|<b>|<link/u);
  expect(page).not.toMatch(/<[^>]*\s(?:src|(?:xlink:)?href)=(?!"#)/u);
  expect(page).not.toMatch(/url\(['"]?(?!data:|#)/u);
  expect(page).toContain("default-src 'none'");
  // With the letters of its names.
  expect(page.match(/@font-face/gu)!.length).toBeGreaterThanOrEqual(2);
});

it('is written of odd runs, of one without points, and of none', async () => {
  await randomRuns(store, SETTINGS.defaults, Number(process.env.SWEEPLAB_TEST_SEED ?? 5));
  const runs = store.listRuns();
  for (const some of [runs, runs.filter(({ name }) => name === 'nothing'), []]) {
    const page = await pageOf(some);
    expect(page).toContain('</html>');
    expect(page).toContain('No run has ended with a number');
    expect(page).not.toContain('undefined');
  }
});
