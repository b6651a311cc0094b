/**
 * Kernel calls before any device is involved. That they compute the right numbers is shown by the executors' own tests; here it is that
 * they touch only what the plan gives a node, which executors may rely on (a device that guards its memory, a report of bytes moved).
 */
import { describe, expect, test } from 'vitest';
import { compileForCpu, CPU_OPERATIONS } from '../../../../main/engine/executors/cpu/target.ts';
import { addressed, isValue } from '../../../../main/engine/executors/native/call.ts';
import type { KernelCall, Place } from '../../../../main/engine/executors/native/call.ts';
import { callsOf, nativeTarget } from '../../../../main/engine/executors/native/operation.ts';
import { allOperations } from '../../../../main/engine/graph/operation.ts';
import { bytesOf } from '../../../../main/engine/graph/value.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { CASES } from '../../graph/cases/index.ts';
import { caseProgram } from '../cpu/harness.ts';

/** Every byte that a call points to, as place and offset. */
function pointersOf(call: KernelCall): [Place, number][] {
  const found: [Place, number][] = [];
  addressed(call, (to, bytes) => found.push([to, bytes]));
  return found;
}

describe('kernel calls', () => {
  test.each(CASES.map((c, i) => [c.title, c, i] as const))(`%s (seed ${SEED})`, (_, { make }, number) => {
    const r = random(SEED + number);
    const { plan } = compileForCpu(caseProgram(make(r), r, 'f32').program);
    for (const node of plan.order) {
      const calls = callsOf(CPU_OPERATIONS, node, { together: () => false });
      const pointers = calls.flatMap(pointersOf);
      const workspace = CPU_OPERATIONS[node.op]!.workspace?.(node) ?? 0;
      for (const [to, bytes] of pointers) {
        // Catches scratch memory that is used and not planned, and a start behind the end of a value.
        const size = to === 'workspace' ? workspace : isValue(to) ? bytesOf(to) : 0;
        expect(bytes, `${node.op} points into ${to === 'workspace' ? to : 'a value'}`).toBeLessThan(Math.max(1, size));
        if (to === 'workspace') expect(workspace, `${node.op} plans its workspace`).toBeGreaterThan(0);
        else expect([...node.inputs, ...node.outputs], `${node.op} points to a value of its own`).toContain(to);
      }
      // Catches an output that no kernel writes, and an input that none reads.
      const touched = new Set(pointers.map(([to]) => to));
      for (const value of [...node.inputs, ...node.outputs]) expect(touched.has(value), node.op).toBe(true);
    }
  });

  test('exist for every operation that has no decomposition (would catch a primitive without a kernel)', () => {
    const primitives = allOperations().filter(({ kind, view }) => kind === 'primitive' && view !== true);
    expect(primitives.map(({ name }) => name).filter((name) => CPU_OPERATIONS[name] === undefined)).toEqual([]);
  });

  test('of a device may replace single ones (would catch a target that keeps what the device cannot run)', () => {
    const calls = () => [];
    const target = nativeTarget('other', {
      ...CPU_OPERATIONS,
      attention: { keeps: ({ inputs }) => inputs[0]!.shape[3]! <= 4, workspace: () => 64, calls },
    });
    const attention = (size: number) => ({
      op: 'attention',
      inputs: [{ shape: [1, 2, 1, size], dtype: 'f32' }],
    });
    expect(target.keeps(attention(4) as never)).toBe(true);
    expect(target.keeps(attention(5) as never)).toBe(false);
    expect(target.workspaceBytes(attention(4) as never)).toBe(64);
    expect(target.keeps({ op: 'linear', inputs: [] } as never)).toBe(false);
  });
});
