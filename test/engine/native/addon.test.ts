import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { pointer, record, whyStale } from '../../../main/engine/native/addon.ts';
import { hashOfSources } from '../../../main/engine/native/sources.js';
import { OPTIMIZER_RULES } from '../../../main/engine/executors/native/ops/optimizer.ts';
import { looseRecord } from '../../oracles/kernelCall.ts';
import { native, signatures, skipped } from './harness.ts';

const FOLDER = fileURLToPath(new URL('../../../main/engine/native/', import.meta.url));

describe.skipIf(native === undefined)(`native addon${skipped}`, () => {
  test('is refused where it was built from other sources (would catch a crash of the process in its kernels)', () => {
    const sources = hashOfSources(FOLDER)!;
    expect(sources).toMatch(/^[0-9a-f]{40}$/u);
    // The one that is loaded passed, unless it was named.
    if (process.env.SWEEPLAB_ADDON === undefined) expect(native.sources).toBe(sources);
    const { format } = native;
    expect(whyStale({ sources, format }, sources)).toBeUndefined();
    const stale = { reason: 'the native kernels were built from other sources', mend: 'npm run build:native' };
    expect(whyStale({ sources: 'of another time', format }, sources)).toEqual(stale);
    // A packaged app has no sources, and an addon of before has neither.
    expect(whyStale({ sources, format }, undefined)).toBeUndefined();
    expect(whyStale({ sources, format: format + 1 }, undefined)).toEqual(stale);
    expect(whyStale({} as never, undefined)).toEqual(stale);
  });

  test('another text of a kernel is another hash, and a folder without sources has none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sweeplab-sources-'));
    try {
      expect(hashOfSources(folder)).toBeUndefined();
      for (const name of readdirSync(FOLDER).filter((each) => /\.(cc|h|gyp)$/u.test(each)))
        copyFileSync(join(FOLDER, name), join(folder, name));
      const before = hashOfSources(folder);
      expect(before).toBe(hashOfSources(FOLDER));
      appendFileSync(join(folder, 'gemm.h'), '\n');
      expect(hashOfSources(folder)).not.toBe(before);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const blocks: number[] = [];
  const allocate = (bytes: number) => {
    const block = native.allocate(bytes);
    blocks.push(block);
    return block;
  };
  afterEach(() => {
    for (const block of blocks.splice(0)) native.free(block);
  });

  // Catches an allocator whose accounting drifts from what it holds: the memory plan is held against it.
  test('counts exactly the bytes that are allocated', () => {
    const before = native.memory().allocated;
    const block = native.allocate(1_234_567);
    expect(native.memory().allocated - before).toBe(1_234_567);
    native.free(block);
    expect(native.memory().allocated).toBe(before);
  });

  test('new memory is zero; ranges outside a block are refused', () => {
    const block = allocate(100);
    const data = new Uint8Array(100).fill(1);
    native.read(block, 0, data);
    expect(data.every((x) => x === 0)).toBe(true);
    expect(() => native.write(block, 1, data)).toThrow('outside');
    expect(() => native.read(99_999, 0, data)).toThrow('no such block');
  });

  test('a program runs off the JavaScript thread, one at a time, and its time is known by record', async () => {
    native.setLevel('');
    const block = allocate(4 * 1000);
    const fill = looseRecord(signatures, 'fill', { y: pointer(block, 0), n: 1000, value: 2.5 });
    const program = native.compile(Float64Array.from([...fill, ...fill]));
    const running = native.run(program);
    expect(() => native.runSync(program)).toThrow('another program');
    expect(() => native.setThreads(1)).toThrow('running');
    await running;
    const out = new Float32Array(1000);
    native.read(block, 0, out);
    expect(out.every((x) => x === 2.5)).toBe(true);
    expect(native.profile(program).length).toBe(2);
    native.release(program);
    expect(() => native.runSync(program)).toThrow('no such program');
  });

  // Catches a plan of scratch that differs from what a run takes.
  test('scratch is known before anything is allocated, and is what a run takes', () => {
    native.setThreads(2);
    const args = { m: 700, n: 600, k: 900, lda: 900, ldb: 600, ldc: 600 };
    const call = (a: number, b: number, c: number) =>
      Float64Array.from(looseRecord(signatures, 'gemm', { ...args, a, b, c }));
    const planned = native.scratchBytes(call(pointer(3000, 0), pointer(3001, 0), pointer(3002, 0)));
    const [a, b, c] = [700 * 900, 900 * 600, 700 * 600].map((n) => pointer(allocate(n * 4), 0)) as [
      number,
      number,
      number,
    ];
    const program = native.compile(call(a, b, c));
    const before = native.memory();
    native.runSync(program);
    expect(native.scratchBytes(program)).toBe(planned);
    expect(native.memory().scratch).toBe(Math.max(before.scratch, planned));
    expect(native.memory().allocated - before.allocated).toBe(native.memory().scratch - before.scratch);
    native.release(program);
  });

  // Catches a ceiling whose work is counted wrongly, or that the compiler has optimised away.
  test('the peak kernel says how many operations a round has, and bf16 rounds have twice those of f32', () => {
    for (const level of ['portable', '']) {
      native.setLevel(level);
      native.setThreads(2);
      const block = allocate(4 * 3);
      const operations = ['f32', 'bf16'].map((compute) => {
        const call = record(signatures, 'peak', { y: pointer(block, 0), repeats: 100_000, compute });
        const program = native.compile(Float64Array.from(call));
        native.runSync(program);
        native.release(program);
        const out = new Float32Array(3);
        native.read(block, 0, out);
        // No core of today makes fewer than 100 million or more than 100 trillion operations a second.
        for (const gigaflops of out.subarray(0, 2)) {
          expect(gigaflops).toBeGreaterThan(0.1);
          expect(gigaflops).toBeLessThan(100_000);
        }
        return out[2]!;
      });
      const lanes = { portable: 4, avx2: 8, avx512: 16 }[native.info().level];
      if (lanes !== undefined) expect(operations[0]).toBe(2 * 2 * lanes * (lanes === 16 ? 14 : 6));
      if (native.info().level !== 'amx')
        expect(operations[1]! / operations[0]!).toBe(native.info().bf16Products ? 2 : 1);
    }
  });

  // Catches records that would make a kernel read wild memory.
  test('malformed programs are refused', () => {
    expect(() => native.compile(Float64Array.from([0, 5, 1]))).toThrow('past the end');
    expect(() => native.compile(Float64Array.from([9999, 2]))).toThrow('malformed');
    const stray = looseRecord(signatures, 'fill', { y: pointer(4000, 0), n: 1 });
    expect(() => native.compile(Float64Array.from(stray))).toThrow('fill.y points outside');
    expect(() => looseRecord(signatures, 'fill', { length: 1 })).toThrow("no argument 'length'");
  });

  // Catches an unknown name looked up in a table, whose undefined became 0: another optimizer, another activation, without a word.
  test('a field without a number is refused by kernel and name', () => {
    const fill = { y: pointer(0, 0), n: 1, ytype: 'f32', value: 1 };
    for (const nothing of [undefined as unknown as number, NaN]) {
      expect(() => record(signatures, 'fill', { ...fill, n: nothing })).toThrow(/'fill': 'n' is (undefined|NaN)/);
      expect(() => record(signatures, 'fill', { ...fill, y: nothing })).toThrow(/'fill': 'y' is (undefined|NaN)/);
      expect(() => record(signatures, 'fill', { ...fill, ytype: nothing })).toThrow(
        /'ytype' is (undefined|NaN); DType/,
      );
      expect(() => record(signatures, 'chain', { stream: 0 }, [1, nothing])).toThrow(/'chain': number 1/);
    }
    expect(() => record(signatures, 'fill', { ...fill, ytype: 'f64' })).toThrow(
      "'ytype' is 'f64'; DType has f32, bf16, f16, i32, u8",
    );
    expect(() => record(signatures, 'chain', { stream: 0 }, [{ enum: 'ChainOp', name: 'cosh' }])).toThrow("'cosh'");
    const { ytype: _, ...partial } = fill;
    expect(() => record(signatures, 'fill', partial)).toThrow(/'fill' needs 'ytype'/);
    // Pointers may be left out: they are null.
    expect(record(signatures, 'chain', { stream: 0 })).toEqual(record(signatures, 'chain', { seed: -1, stream: 0 }));
  });

  // Catches numbers of an enum that came about elsewhere.
  test('a number that is none of an enum is refused by the addon itself', () => {
    const block = allocate(64);
    const fill = looseRecord(signatures, 'fill', { y: pointer(block, 0), n: 1 });
    const at = 2 + signatures.kernels['fill']!.fields.indexOf('DType:ytype');
    for (const wrong of [-1, 5, 0.5, NaN]) {
      expect(() => native.compile(Float64Array.from(fill.with(at, wrong)))).toThrow('fill.ytype');
    }
  });

  // Catches a kind of the kernel that the translation does not know, or the reverse.
  test('every kind of the optimizer kernel is known with the constants that it reads', () => {
    expect(OPTIMIZER_RULES).toEqual(signatures.enums['OptimizerKind']);
  });

  test('a level that does not exist or cannot run is refused, and SWEEPLAB_CPU forces one', () => {
    expect(() => native.setLevel('sse9')).toThrow("unknown instruction level 'sse9'; allowed here: portable");
    native.setLevel('portable');
    expect(native.info().level).toBe('portable');
    native.setLevel('');
    const load = (level: string) => {
      const script = `import('./main/engine/native/addon.ts').then((m) => {
        const { native, reason } = m.loadNative(); console.log(reason ?? native.info().level); });`;
      const env = { ...process.env, SWEEPLAB_CPU: level };
      return spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' }).stdout.trim();
    };
    expect(load('portable')).toBe('portable');
    expect(load('pentium')).toContain("unknown instruction level 'pentium'");
  });
});
