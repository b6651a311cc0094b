import { describe, expect, it } from 'vitest';
import { draft, DRAFT_FIELDS, EMPTY_DRAFT, readDraft } from '../../preload/contract/draft.ts';

describe('a draft', () => {
  it('may leave out all that has a default', () => {
    expect(draft.parse({})).toEqual(EMPTY_DRAFT);
    expect(EMPTY_DRAFT).toEqual({
      name: '',
      notes: '',
      method: 'grid',
      runCap: null,
      parameters: {},
      recipe: null,
      settings: {},
      seeds: 1,
      constraints: [],
      sweepSeed: 0,
    });
  });

  it('has each name of a file once, snake case as W&B has it (catches a key that cannot be written)', () => {
    const keys = DRAFT_FIELDS.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^([a-z]+(_[a-z]+)*|apiVersion)$/u);
  });
});

describe('a stored draft', () => {
  it('is read as far as it can be when it is damaged (would catch a builder that no longer opens)', () => {
    expect(readDraft(null)).toEqual(EMPTY_DRAFT);
    expect(readDraft([1])).toEqual(EMPTY_DRAFT);
    expect(
      readDraft({
        name: 7,
        settings: { a: 1, b: null, c: [] },
        parameters: { x: { values: [1, 2] }, y: { valeus: [1] }, z: 3 },
        seeds: [],
        runCap: -1,
        method: 3,
        constraints: ['x', 2],
        metric: { name: 4 },
        earlyTerminate: 3,
        novel: true,
      }),
    ).toEqual({ ...EMPTY_DRAFT, settings: { a: 1 }, parameters: { x: { values: [1, 2] } }, constraints: ['x'] });
    expect(readDraft({ parameters: 3, seeds: [3, 5], runCap: 12, method: 'random' })).toEqual({
      ...EMPTY_DRAFT,
      seeds: [3, 5],
      runCap: 12,
      method: 'random',
    });
  });

  it('comes back from its JSON as it was, whatever it says', () => {
    const whole = draft.parse({
      name: 'depth: "quoted" × width',
      settings: { 'stop.steps': 100, 'model.tied': true, 'data.separator': '\n\n' },
      parameters: { 'schedule.final': { distribution: 'q_uniform', min: 0, max: 1, q: 0.1, when: 'seed > 1' } },
      method: 'bayes',
      metric: { name: 'val/accuracy', goal: 'maximize' },
      earlyTerminate: { type: 'hyperband', min_iter: 3 },
      program: 'train.py',
    });
    expect(readDraft(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
  });
});
