/** A fault that was planted in one layer is found by its flag, and the batch of a step can be read. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { inside } from '../cli/inside.ts';
import { PATIENCE, whyNot } from './harness.ts';
import { useVisit } from './visit.ts';

const why = await whyNot();
const GPT = fileURLToPath(new URL('../../main/engine/nn/models/gpt.ts', import.meta.url));
/** A gpt whose layer 2 begins 30 times as large. */
const FAULTY = `
import { gpt } from ${JSON.stringify(GPT)};
export default ({ defineModel }) => ({
  name: 'faulty',
  kinds: [
    defineModel({
      ...gpt,
      name: 'faulty',
      help: 'The layer 2 begins 30 times as large.',
      build: (m) =>
        gpt.build({
          ...m,
          parameter: (name, shape, options) =>
            m.parameter(name, shape, m.graph.scope.startsWith('block.2.') && options.initial.kind === 'normal'
              ? { ...options, initial: { kind: 'normal', std: 30 * options.initial.std } }
              : options),
        }),
    }),
  ],
});
`;
const SMALL = ['--model.depth', '4', '--model.width', '32', '--model.heads', '2', '--model.context', '32'];

describe.skipIf(why !== undefined)(`layers of a run${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  const visit = useVisit();
  let page: Page;
  let id: string;
  beforeAll(async () => {
    mkdirSync(join(visit.home, 'plugins'));
    writeFileSync(join(visit.home, 'plugins', 'faulty.ts'), FAULTY);
    const size = [...SMALL, '--batch.sequences', '4', '--stop.steps', '12', '--eval.every_steps', '0'];
    const measured = ['--log.diagnostics', 'all', '--log.diagnostics_steps', '3', '--data.size', '40000'];
    const args = ['train', '--recipe', 'quick', '--model.kind', 'faulty', ...size, ...measured, '--json'];
    const { code, stdout, stderr } = await inside(visit.home, args);
    expect(code, stderr).toBe(0);
    id = (JSON.parse(stdout) as { id: string }).id;
    page = await visit.begin();
  });

  it('shows the fault by its flag, and where it is', async () => {
    await page.evaluate(`location.hash = '#/run/${id}?tab=health'`);
    const flag = page.locator('[data-flag="weights"]');
    await flag.waitFor();
    expect(await flag.textContent()).toMatch(
      /Layer 2: its weights are [\d.]+ times as long as those of the median layer/u,
    );
    expect(await page.locator('[data-flag="weights"]').count()).toBe(1);
    await flag.getByRole('button', { name: 'Show' }).click();
    const readout = page.locator('#lens-cell');
    await expect.poll(() => readout.textContent(), { timeout: PATIENCE }).toMatch(/^layer 2, step 1: /u);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => readout.textContent(), { timeout: PATIENCE }).toMatch(/^layer 3, step 3: /u);
    await page.getByRole('combobox', { name: 'Metric', exact: true }).selectOption('attention_entropy');
    await page.getByRole('radio', { name: 'each head' }).click();
    await expect.poll(() => readout.textContent(), { timeout: PATIENCE }).toMatch(/head \d, step 3: [\d.]+$/u);
  });

  it('shows the loss by position in the context: rows of the lens, and x of a chart', async () => {
    await page.getByRole('combobox', { name: 'Metric', exact: true }).selectOption('loss_by_position');
    await page.locator('[role="application"]').press('PageDown');
    const readout = page.locator('#lens-cell');
    await expect.poll(() => readout.textContent(), { timeout: PATIENCE }).toMatch(/^17–32, step 3: [\d.]+/u);
    const card = page.locator('[data-metric="loss_by_position"]');
    await card.scrollIntoViewIfNeeded();
    const chart = card.getByRole('img').first();
    await expect
      .poll(() => chart.getAttribute('aria-label'), { timeout: PATIENCE })
      .toMatch(/^loss_by_position against position in the context, tokens \(log\).*: 1 line,/u);
    await page.getByRole('combobox', { name: 'Metric', exact: true }).selectOption('attention_entropy');
  });

  it('opens the batch of a step as text', async () => {
    await page.getByRole('button', { name: 'Batch of this step' }).click();
    const rows = page.getByRole('dialog', { name: 'Batch of step 3' }).locator('pre');
    await rows.first().waitFor();
    expect(await rows.count()).toBe(4);
    expect((await rows.first().textContent())!.length).toBeGreaterThan(20);
    await page.keyboard.press('Escape');
  });

  it('draws a metric of layers on the board of the run', async () => {
    await page.getByRole('tab', { name: 'Charts' }).click();
    const heading = page.getByRole('heading', { name: 'layer_grad_norm[0]' });
    await heading.waitFor();
    expect(await heading.textContent()).toContain('layer_grad_norm[3]');
  });
});
