import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { staleFamilies } from '../../../main/engine/native/cuda/build.js';
import { layoutOf } from '../../../main/engine/executors/cuda/launch.ts';
import { sha256 } from '../../../main/files/whole.ts';
import { manifest, ptxOf, readManifest } from '../../../main/engine/executors/cuda/manifest.ts';
import { ExecutorUnavailableError } from '../../../main/engine/executors/executor.ts';

test('the committed PTX is that of the sources; else run `npm run build:cuda`', () => {
  expect(staleFamilies()).toEqual({ stale: [], gone: [] });
});

test('the PTX of every family is for drivers since R470 and holds its kernels', () => {
  for (const [family, { kernels }] of Object.entries(manifest())) {
    const text = ptxOf(family).toString();
    expect(text.startsWith(`// family ${family}\n`)).toBe(true);
    expect(text).toMatch(/^\.version 7\.4$/m);
    for (const name of Object.keys(kernels)) expect(text).toContain(`.entry ${name}(`);
  }
});

test('structs are laid out as the compiler lays them out', () => {
  for (const [family, { structs, kernels }] of Object.entries(manifest())) {
    const text = ptxOf(family).toString();
    for (const [name, { struct }] of Object.entries(kernels)) {
      const declared = new RegExp(`\\.entry ${name}\\(\\s*\\.param[^\\]]*\\[(\\d+)\\]`).exec(text)?.[1];
      expect(layoutOf(structs[struct]!).bytes, `${family}: ${name}`).toBe(Number(declared));
    }
  }
});

// Would catch an installation with holes that takes runs and fails them, where the processor would train them.
test('kernels that are missing or damaged are named, and how they come back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-kernels-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text);
  const words = /^cuda: .*one\.(?:json|ptx\.br) cannot be used \(.+\): install Sweeplab again$/u;
  write('one.ptx.br', brotliCompressSync('// PTX'));
  expect(() => readManifest(folder)).toThrow(words);
  write('one.json', '{"kern');
  expect(() => readManifest(folder)).toThrow(words);
  const facts = { ptx: sha256('// PTX'), kernels: {} };
  write('one.json', JSON.stringify(facts));
  expect(readManifest(folder)).toEqual({ one: facts });
  expect(ptxOf('one', folder).toString()).toBe('// PTX\0');
  write('one.ptx.br', brotliCompressSync('// PTX of another'));
  expect(() => ptxOf('one', folder)).toThrow(words);
  truncateSync(join(folder, 'one.ptx.br'), 4);
  expect(() => ptxOf('one', folder)).toThrow(words);
  rmSync(join(folder, 'one.ptx.br'));
  expect(() => readManifest(folder)).toThrow(words);
  expect(() => readManifest(join(folder, 'none'))).toThrow(ExecutorUnavailableError);
});
