import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { removeHome, start, temporaryHome, tiny } from './cli.ts';
import { inside, jsonInside } from './inside.ts';

const homes: string[] = [];
const newHome = (): string => {
  const home = temporaryHome();
  homes.push(home);
  return home;
};
afterAll(() => homes.forEach(removeHome));

interface RunShape {
  id: string;
  name: string;
  state: string;
  reason: string;
  steps: number;
  tokens: number;
  parameters: number;
  settings: Record<string, unknown>;
  summary: Record<string, number>;
  environment: Record<string, unknown>;
  checkpoint: string;
  attempt: number;
}

describe('sweeplab train', () => {
  it('trains exactly the steps asked for, evaluates at the end, and shows everything in JSON alone (would catch an off-by-one stop and notes on standard output)', async () => {
    const home = newHome();
    const given = { 'stop.steps': '7', 'precision.policy': 'auto' };
    const outcome = await inside(home, ['train', ...tiny(given), '--json']);
    expect(outcome.code).toBe(0);
    const run = JSON.parse(outcome.stdout) as RunShape;
    expect(run).toMatchObject({
      state: 'finished',
      steps: 7,
      attempt: 1,
      reason: expect.stringContaining('stop.steps'),
    });
    // What auto came to is what the run has, and what it is called by.
    expect(['fp32', 'bf16']).toContain(run.settings['precision.policy']);
    expect(run.name).not.toContain('auto');
    expect(outcome.stderr).toContain(`precision.policy auto is ${run.settings['precision.policy']} on `);
    expect(outcome.stderr).not.toContain('warning: precision.policy');
    expect(run.tokens).toBe(7 * 4 * 16);
    expect(run.parameters).toBeGreaterThan(4000);
    expect(run.settings).toMatchObject({ 'model.depth': 1, 'stop.steps': 7, 'optimizer.kind': 'adamw' });
    expect(run.summary['val/loss']).toBeGreaterThan(1);
    expect(run.summary['val/bpb']).toBeGreaterThan(run.environment.entropyFloor as number);
    expect(existsSync(join(run.checkpoint, 'weights.safetensors'))).toBe(true);
    const list = await jsonInside<RunShape[]>(home, ['runs', 'ls']);
    expect(list).toHaveLength(1);
    expect(list[0]).toMatchObject({
      id: run.id,
      name: run.name,
      state: 'finished',
      steps: 7,
      settings: run.settings,
      summary: run.summary,
    });
  });

  it('prints header, evaluations and result for people, without escape codes where nobody can see them', async () => {
    const { code, stdout } = await inside(newHome(), ['train', ...tiny()]);
    expect(code).toBe(0);
    for (const text of [
      'model',
      'parameters',
      'budget',
      '10 steps',
      'device',
      'floor',
      'val/bpb',
      'finished: stop.steps reached',
    ])
      expect(stdout).toContain(text);
    expect(stdout).not.toContain('\u001b');
  });

  it('takes recipe, then file, then flags (would catch a wrong order of layers)', async () => {
    const home = newHome();
    const file = join(home, 'mine.yaml');
    writeFileSync(file, 'recipe: quick\nmodel:\n  depth: 3\n  width: 32\nstop.steps: 200\n');
    type Dry = { settings: Record<string, unknown> };
    const { settings: recipe } = await jsonInside<Dry>(home, ['train', '--recipe', 'quick', '--dry-run']);
    const { settings } = await jsonInside<Dry>(home, ['train', file, '--model.width', '48', '--dry-run']);
    expect(settings).toEqual({ ...recipe, 'model.depth': 3, 'model.width': 48, 'stop.steps': 200 });
    expect(readdirSync(home)).toEqual(['mine.yaml']);
    // What follows from a setting is told with its rule.
    const dial = await inside(home, ['train', '--model.kind', 'depth-dial', '--model.depth', '3', '--dry-run']);
    expect(dial.stdout).toContain('model.heads: 2  (follows: model.width / model.head_size)');
  });

  it('ends cleanly by Ctrl-C with a run that continues to the same end as an undisturbed one', async () => {
    const home = newHome();
    const args = ['train', ...tiny({ 'stop.steps': '400', 'batch.micro': '1' })];
    const whole = await jsonInside<RunShape>(home, args);
    expect(whole).toMatchObject({ state: 'finished', steps: 400 });
    const running = start(home, [...args, '--json']);
    await running.until(/step +5 .*val\/loss/u);
    running.child.kill('SIGINT');
    const outcome = await running.done;
    expect(outcome.code).toBe(130);
    const stopped = JSON.parse(outcome.stdout) as RunShape;
    expect(stopped).toMatchObject({
      state: 'stopped',
      reason: expect.stringContaining('interrupted by the user at step'),
    });
    expect(stopped.steps).toBeGreaterThanOrEqual(5);
    expect(stopped.steps).toBeLessThan(400);
    const resumed = await jsonInside<RunShape>(home, ['train', '--resume', stopped.id]);
    expect(resumed).toMatchObject({ id: stopped.id, state: 'finished', steps: 400, attempt: 2 });
    expect(resumed.summary['val/loss']).toBe(whole.summary['val/loss']);
    expect(
      readFileSync(join(resumed.checkpoint, 'weights.safetensors')).equals(
        readFileSync(join(whole.checkpoint, 'weights.safetensors')),
      ),
    ).toBe(true);
    const again = await inside(home, ['train', '--resume', stopped.id]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('is finished');
  });

  it('stops with all that is saved where the reader of its output ends (would catch an end at once, with code 0 and nothing saved)', async () => {
    for (const stream of ['stdout', 'stderr'] as const) {
      const home = newHome();
      const args = ['train', ...tiny({ 'stop.steps': '100000', 'batch.micro': '1' })];
      const running = start(home, stream === 'stdout' ? args : [...args, '--json']);
      await running.until(/step +5 .*val\/loss/u);
      running.child[stream]!.destroy();
      const outcome = await running.done;
      expect(outcome.code, stream).toBe(130);
      if (stream === 'stdout') expect(outcome.stderr).toContain('nobody reads the output any more');
      const [run] = await jsonInside<RunShape[]>(home, ['runs', 'ls', '--json']);
      expect(run, stream).toMatchObject({
        state: 'stopped',
        reason: expect.stringContaining('interrupted by the user at step'),
      });
      expect(existsSync(join(run!.checkpoint, 'weights.safetensors')), stream).toBe(true);
    }
  });

  it('records a diverged run and exits with 1 (would catch a crash, or a success that was none)', async () => {
    const home = newHome();
    const outcome = await inside(home, [
      'train',
      ...tiny({ 'optimizer.lr': '1e30', 'optimizer.clip': '0', 'optimizer.kind': 'sgd' }),
      '--json',
    ]);
    expect(outcome.code).toBe(1);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^diverged: .* step \d+$/u),
    });
  });
});
