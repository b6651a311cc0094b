/** The command line and the app start the same thing: one sweep file through both doors. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import type { RunRecord, SweepRecord } from '../../preload/contract/runs.ts';
import { finishing, TestLab } from '../host/services/support.ts';
import { removeHome, temporaryHome } from './cli.ts';
import { inside } from './inside.ts';

/** Small, and with everything that a launch decides: a recipe, conditions, drops, duplicates, warnings, seeds, a name or none. */
const TINY = `
recipe: quick
settings:
  data.size: 20000
  data.validation: 0.1
  model.context: 16
  model.width: 16
  batch.sequences: 4
  eval.tokens: 320
  stop.steps: 4
  schedule.warmup_steps: 2
`;
const FIXTURES = {
  'a grid with a dropped combination, a duplicate and a parameter without effect': `
method: grid
name: the same
description: |
  two lines
  of notes
metric: { name: val/loss, goal: minimize, target: 3 }
parameters:
  model.heads: { values: [2, 3] }
  model.kv_heads: { values: [0, 2] }
  model.window: { values: [8, 16], when: 'model.heads == 3' }
seeds: [4, 9]
${TINY}`,
  'random draws without a name': `
method: random
run_cap: 3
sweep_seed: 7
parameters:
  optimizer.lr: { distribution: log_uniform_values, min: 1e-3, max: 1e-2 }
  model.depth: { distribution: int_uniform, min: 1, max: 2 }
${TINY}`,
} as const;

/** What of a run is decided before it trains. */
const decided = ({ name, seed, settingKey, config, color, codeVersion, tags, note }: RunRecord) => ({
  name,
  seed,
  settingKey,
  config,
  color,
  codeVersion,
  tags,
  note,
});
/** The same of a sweep, but its text, which the file has as the user wrote it. */
const defined = ({ name, spec, plan, concurrencyLimit, origin }: SweepRecord) => ({
  name,
  spec,
  plan,
  concurrencyLimit,
  origin,
});

function launchedIn(home: string) {
  const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
  try {
    const [sweep] = store.listSweeps();
    return { sweep: defined(sweep!), runs: store.listRuns({ sweepId: sweep!.id }).map(decided) };
  } finally {
    store.close();
  }
}

/** The lines of warnings that a command printed. */
const warningsIn = (text: string): string[] =>
  text.split('\n').flatMap((line) => (line.startsWith('warning: ') ? [line.slice('warning: '.length)] : []));

describe.each(Object.entries(FIXTURES))('%s', (_, yaml) => {
  const home = temporaryHome();
  let app: TestLab | undefined;
  let warnings: string[];
  beforeAll(async () => {
    const file = join(home, 'sweep.yaml');
    writeFileSync(file, yaml);
    const { code, stderr, stdout } = await inside(home, ['sweep', file]);
    if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
    warnings = warningsIn(stderr);
  });
  afterEach(() => app?.close());
  afterAll(() => removeHome(home));

  it('gives the same sweep, runs, names and warnings through both doors (would catch a launch that is written twice)', async () => {
    app = new TestLab();
    await app.open(finishing, { paused: true });
    const client = app.client();
    const { draft, problems } = await client.call('sweeps.fromYaml', { yaml });
    expect(problems).toEqual([]);
    const launched = await client.call('sweeps.launch', { draft: draft! });
    const expected = launchedIn(home);
    expect(launchedIn(app.home)).toEqual(expected);
    // The command says first what it finds of memory and data, then shows the plan.
    expect(launched.warnings.map(({ message }) => message).toSorted()).toEqual(warnings.toSorted());
    expect(expected.runs.length).toBeGreaterThan(1);
  });
});
