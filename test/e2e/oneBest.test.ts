/**
 * What the pages and the command line show as best of the same sweeps, as a person reads it. The functions behind them are tried in
 * test/shared/results.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import { sweeplab } from '../cli/cli.ts';
import { CASES, storeCases } from '../shared/results/sweeps.ts';
import { go, settled, until, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const missing = await whyNot();
if (missing !== undefined) console.warn(`SKIPPED: one best on every page (${missing})`);

describe.skipIf(missing !== undefined)('the best setting', () => {
  const visit = useVisit();
  const { home } = visit;
  let ids: Map<string, string>;
  let page: Page;

  beforeAll(async () => {
    const store = openStore(join(home, 'runs.sqlite'));
    ids = storeCases(store);
    store.close();
    page = await visit.begin();
  });

  /** `lr 0.03`, `tokenizer.kind bpe` */
  const label = (best: object): RegExp => {
    const [[name, value]] = Object.entries(best);
    return new RegExp(`(${name}|${name.slice(name.indexOf('.') + 1)}) ${String(value)}\\b`, 'u');
  };
  /** Shares are in per cent. */
  const written = (
    { metric, mean }: Pick<(typeof CASES)[number], 'metric' | 'mean'>,
    plain = (value: number): string => value.toFixed(2),
  ): string => (metric?.name === 'val/accuracy' ? (100 * mean!).toFixed(1) : plain(mean!));
  const shown = async (within: string): Promise<string> =>
    (await page.locator(`${within} [data-best]`).allInnerTexts()).join(' | ');

  it('is the same in the list of sweeps and on Start', async () => {
    await settled(page);
    await go(page, '/sweeps');
    const rows = page.getByRole('table', { name: 'Sweeps' }).locator('tbody tr');
    await until(
      () => rows.count(),
      (count) => count === CASES.length,
      'all sweeps in the list',
    );
    for (const { name, best, ...of } of CASES) {
      const row = page.locator('tbody tr', { has: page.getByRole('link', { name, exact: true }) });
      if (best === null) expect(await row.locator('[data-best]').count(), name).toBe(0);
      else {
        expect(await row.locator('[data-best]').innerText(), name).toMatch(label(best));
        expect(await row.innerText(), name).toContain(written(of));
      }
    }
    await go(page, '/');
    const panel = page.locator('section, article, div', { hasText: 'Latest sweeps' }).last();
    await panel.locator('[data-best]').first().waitFor();
    let seen = 0;
    for (const { name, best, ...of } of CASES) {
      const link = panel.locator('li', { hasText: name });
      if ((await link.count()) !== 1) continue;
      seen++;
      if (best === null) expect(await link.locator('[data-best]').count(), name).toBe(0);
      else expect(await link.innerText(), name).toContain(written(of));
    }
    expect(seen).toBeGreaterThanOrEqual(4);
  });

  it.each(CASES)('is the same on the page and the board of: $name', async ({ name, best, ...of }) => {
    const id = ids.get(name)!;
    await go(page, `/sweep/${id}`);
    await page.getByRole('table', { name: 'Settings by rank' }).waitFor();
    if (best === null) expect(await shown('main')).toBe('');
    else {
      expect(await shown('main')).toMatch(label(best));
      expect(await shown('main')).toContain(written(of));
    }
    await go(page, `/board?sweep=${id}`);
    const list = page.getByRole('list', { name: 'Runs' });
    await list.locator('[data-row]').first().waitFor();
    const marked = list.locator('[data-row]', { has: page.locator('[data-best]') });
    expect(await marked.count()).toBe(best === null ? 0 : 1);
    if (best !== null) {
      // The names of the settings stand above the list, and each row's own hint has both.
      expect(await marked.locator('button.name').getAttribute('title')).toMatch(label(best));
      expect(await marked.innerText()).toContain(String(Object.values(best)[0]));
      expect(await marked.innerText()).toContain(written(of, (mean) => mean.toPrecision(3)));
    }
  });

  it('is the same in the command line, with what did not finish beside it', async () => {
    const { stdout } = await sweeplab(home, ['runs', 'compare', '--sweep', 'survivors']);
    expect(stdout).toMatch(/^ +0\.03 .*6 +3\.853 .*← best$/mu);
    expect(stdout).toMatch(/^ +1\.5 .*2 of 6 \(4 failed\) .*promising .*4 failed: diverged: train\/loss is NaN/mu);
    expect(stdout).toMatch(/^ +2 .*0 of 6 \(6 failed\) .*failed/mu);
    const { stdout: texts } = await sweeplab(home, ['runs', 'compare', '--sweep', 'other validation texts']);
    expect(texts).not.toContain('best');
    expect(texts).toContain('cannot be compared: 3 rankings');
  });
});
