import { describe, expect, it } from 'vitest';
import { InOrder } from '../../../main/engine/executors/inOrder.ts';
import { probeExecutors } from '../../../main/engine/executors/select.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { add, input, mul, scalar, state } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';

/** x becomes 2 x + y, and is an output. Order matters to it. */
function doubling() {
  const graph = newGraph();
  const x = state(graph, 'x', [], 'f32');
  const y = input(graph, 'y', [], 'f32');
  const next = add(mul(x, scalar(x, 2)), y);
  return program('double', graph, { next }, [{ state: 'x', value: next }]);
}

describe('runs that are given while others are pending', () => {
  it('are done in their order, reads among them (would catch runs that overlap or overtake)', async () => {
    for (const { kind, available } of await probeExecutors()) {
      if (!available) continue;
      const executor = await kind.open();
      const session = executor.open([{ name: 'x', shape: [], dtype: 'f32', category: 'parameters', scope: '' }]);
      const loaded = session.load(doubling());
      const give = (y: number) => session.run(loaded, { y: Float32Array.of(y) });
      const results = [give(1), give(2), session.read('x').then((x) => ({ next: x })), give(3), give(4)];
      expect(() => session.write('x', Float32Array.of(0))).toThrow('while runs are pending');
      expect(() => session.load(doubling())).toThrow('while runs are pending');
      const values = (await Promise.all(results)).map(({ next }) => next![0]);
      expect([kind.name, values]).toEqual([kind.name, [1, 4, 4, 11, 26]]);

      const broken = [session.run(loaded, {}), give(5)];
      const ends = (await Promise.allSettled(broken)).map((end) => (end.status === 'rejected' ? end.reason : 'done'));
      expect([kind.name, ...ends.map(String)]).toEqual([
        kind.name,
        ...ends.map(() => expect.stringMatching(/input y.* is missing/u) as string),
      ]);
      session.write('x', Float32Array.of(1));
      expect((await give(6)).next![0]).toBe(8);
      session.dispose();
    }
  });

  it('begin at once where nothing is pending (would catch a turn of the event loop lost at each run)', async () => {
    const order = new InOrder();
    const begun: string[] = [];
    const work = (name: string) => order.do(async () => void begun.push(name));
    const first = work('first');
    expect(begun).toEqual(['first']);
    const second = work('second');
    expect(begun).toEqual(['first']);
    await Promise.all([first, second]);
    expect(order.busy).toBe(false);
    await work('third');
    expect(begun).toEqual(['first', 'second', 'third']);
  });
});
