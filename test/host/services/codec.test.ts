import { describe, expect, it } from 'vitest';
import { CodecError, decode, encode } from '../../../preload/contract/codec.ts';

describe('messages as bytes', () => {
  it('come back as they were (would catch NaN that becomes null, −0 that becomes 0, a Buffer that becomes a list)', () => {
    const message = {
      numbers: [1.5, Number.NaN, Infinity, -Infinity, -0],
      text: 'ü\u0000"\\ 東京 🦜',
      nothing: null,
      nested: { a: [{ b: new Float64Array([Number.NaN, 1e-320]) }], empty: new Int32Array(0) },
      all: [new Int8Array([-1]), new Int16Array([-2, 3]), new Uint16Array([65535]), new Float32Array([0.1])],
    };
    const back = decode(encode(message)) as typeof message;
    expect(back).toEqual(message);
    expect(Object.is(back.numbers[4], -0)).toBe(true);
    expect(decode(encode(Buffer.from([1, 2])))).toEqual(new Uint8Array([1, 2]));
    expect(decode(encode({ left: undefined, kept: 1 }))).toEqual({ kept: 1 });
    for (const plain of [null, true, 'x', 3]) expect(decode(encode(plain))).toEqual(plain);
  });

  it('can lie anywhere in a larger buffer (would catch reads by the wrong offset)', () => {
    const bytes = encode({ values: new Float64Array([1, 2, 3]) });
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(decode(larger.subarray(3))).toEqual({ values: new Float64Array([1, 2, 3]) });
    // A Buffer's slice is a view of its pool.
    const pooled = Buffer.from(bytes);
    const back = decode(pooled) as { values: Float64Array };
    pooled.fill(0);
    expect(back.values).toEqual(new Float64Array([1, 2, 3]));
  });

  it('of which the bytes are owned are not copied, wherever these lie (would catch arrays that begin at a byte too few)', () => {
    const message = { text: 'x', small: new Int16Array([7]), values: new Float64Array([1, Number.NaN, 3]), run: ['a'] };
    for (const text of ['', 'a', 'four', 'longer by some'])
      for (const shift of [0, 3, 8, 16]) {
        const bytes = encode({ ...message, text });
        const larger = new Uint8Array(bytes.length + shift);
        larger.set(bytes, shift);
        const back = decode(larger.subarray(shift), { owned: true }) as typeof message;
        expect(back).toEqual({ ...message, text });
        // What cannot be read where it lies is copied after all.
        expect(back.values.buffer === larger.buffer).toBe(shift % 8 === 0);
      }
    const bytes = encode(message);
    for (let length = 0; length < bytes.length; length++)
      expect(() => decode(bytes.slice(0, length), { owned: true })).toThrow(CodecError);
  });

  it('hold an array once that they name often (would catch 500 copies of the steps of a sweep)', () => {
    const step = new Float64Array(1000).fill(3);
    const runs = Array.from({ length: 20 }, (_, i) => ({ step, value: new Float64Array([i]) }));
    const bytes = encode({ runs, same: new Float64Array(step) });
    expect(bytes.length).toBeLessThan(3 * step.byteLength);
    const back = decode(bytes) as { runs: typeof runs; same: Float64Array };
    expect(back).toEqual({ runs, same: step });
    expect(back.runs[19]!.step).toBe(back.runs[0]!.step);
    expect(back.same).not.toBe(back.runs[0]!.step);
  });

  it('refuses everything that is cut off or made up, and only that way (would catch a crash by a hostile frame)', () => {
    const bytes = encode({ a: [1, { b: 'text' }], values: new Float64Array([1, 2, 3]) });
    for (let length = 0; length < bytes.length; length++)
      expect(() => decode(bytes.slice(0, length))).toThrow(CodecError);
    const wrong = [
      { '\u0000a': ['f64', 0, 1e9] },
      { '\u0000a': ['f64', -8, 1] },
      { '\u0000a': ['constructor', 0, 1] },
      { '\u0000a': 'x' },
      { '\u0000a': ['f64', 0.5, 1] },
    ];
    for (const each of wrong) expect(() => decode(encode(each))).toThrow(CodecError);
    let seed = 1;
    for (let round = 0; round < 2000; round++) {
      const damaged = bytes.slice();
      seed = (seed * 48_271) % 2_147_483_647;
      damaged[seed % damaged.length] = seed & 255;
      try {
        decode(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
      }
    }
  });

  it('refuses what is no plain data', () => {
    expect(() => encode({ f: () => 1 })).toThrow(CodecError);
    expect(() => encode({ n: 1n })).toThrow(CodecError);
  });
});
