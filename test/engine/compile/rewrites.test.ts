import { describe, expect, test } from 'vitest';
import { fuse } from '../../../main/engine/compile/fuse.ts';
import { planMemory } from '../../../main/engine/compile/plan.ts';
import { recompute } from '../../../main/engine/compile/recompute.ts';
import { COMPOSITE_TARGET, lower } from '../../../main/engine/compile/schedule.ts';
import { wantedValues } from '../../../main/engine/graph/program.ts';
import type { Program } from '../../../main/engine/graph/program.ts';
import { evaluate } from '../../oracles/reference.ts';
import { generator, programsOf, randomFeeds, VARIANTS } from '../nn/variants.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const opsOf = (p: Program) => lower(p, COMPOSITE_TARGET).graph.nodes.map(({ op }) => op);

function difference(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  let worst = 0;
  a.forEach((x, i) => {
    const scale = x.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-12);
    x.forEach((value, e) => {
      worst = Math.max(worst, Math.abs(value - b[i]![e]!) / scale);
    });
  });
  return worst;
}

describe.each(Object.entries(VARIANTS))('model %s', (name, overrides) => {
  const programs = programsOf(overrides, name === 'original');
  const all = [
    programs.accumulate(3, true),
    programs.accumulate(2, false),
    programs.evaluate(2),
    programs.update(),
    programs.generate(),
  ];

  // Catches a fusion that changes what is computed (sums may be taken in another order, hence the tolerance).
  test.each(all.map((p, i) => [`${p.name} ${i}`, p] as const))(
    `fusing %s keeps every result (seed ${seed})`,
    (_, p) => {
      const feeds = randomFeeds(p, generator(seed));
      const plain = evaluate(wantedValues(p), feeds);
      expect(difference(plain, evaluate(wantedValues(fuse(p)), feeds))).toBeLessThan(1e-11);
    },
  );

  // Catches a recomputation that differs from what was computed first, dropout masks included.
  test.each(['attention', 'block'] as const)('recomputing %s gives the same bits and needs less memory', (policy) => {
    const p = all[0]!;
    const feeds = randomFeeds(p, generator(seed + 1));
    const saved = evaluate(wantedValues(p), feeds);
    const again = evaluate(wantedValues(recompute(p, policy)), feeds);
    saved.forEach((x, i) => expect([...again[i]!]).toEqual([...x]));
    const bytes = (q: Program) => planMemory(lower(fuse(q), COMPOSITE_TARGET), COMPOSITE_TARGET).arenaBytes;
    const big = programsOf({ ...overrides, 'model.depth': 6, 'model.context': 16 }, name === 'original').accumulate(
      8,
      true,
    );
    expect(bytes(recompute(big, policy))).toBeLessThan(bytes(big));
  });
});

describe('fusion', () => {
  // Catches rules that silently stop matching: everything below would then still be correct, only slow.
  test('finds the epilogues of a transformer', () => {
    const ops = opsOf(fuse(programsOf({ 'model.bias': true }).accumulate(2, false)));
    expect(ops).not.toContain('activation');
    expect(ops).not.toContain('activationGrad');
    expect(ops).not.toContain('linear');
    expect(ops).not.toContain('linearCrossEntropyGrad');
    expect(ops).not.toContain('scatterAdd');
    expect(ops.filter((op) => op === 'normGradAdd')).toHaveLength(4);
  });

  // Catches gradient accumulation that needs a temporary the size of the weights.
  test('adds weight gradients in place', () => {
    const lowered = lower(fuse(programsOf().accumulate(2, false)), COMPOSITE_TARGET);
    const plan = planMemory(lowered, COMPOSITE_TARGET);
    expect(plan.copies).toEqual([]);
    for (const { value, state } of lowered.updates) {
      let root = value;
      while (root.node.op === 'reshape') root = root.node.inputs[0]!;
      expect(plan.locations.get(root.id)).toEqual({ kind: 'state', name: state });
    }
  });
});
