import { expect, test } from 'vitest';
import { staleFamilies } from '../../../main/engine/native/cuda/build.js';
import { layoutOf } from '../../../main/engine/executors/cuda/launch.ts';
import { manifest, ptxOf } from '../../../main/engine/executors/cuda/manifest.ts';

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
