/**
 * The desktop app: `electron-vite build` writes out/main, out/preload and out/renderer. Only the adapters are bundled; the lab runs
 * from its sources, in a process of its own (main/app/README.md).
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'electron-vite';
import { rendererOptions } from './renderer/vite.config.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  main: {
    build: {
      outDir: path('out/main'),
      target: 'node24',
      rollupOptions: { input: { index: path('main/app/index.ts') }, external: ['electron'], output: { format: 'es' } },
    },
  },
  preload: {
    build: {
      outDir: path('out/preload'),
      // One CommonJS file: a sandboxed preload script can load nothing else.
      rollupOptions: {
        input: { index: path('preload/index.ts') },
        external: ['electron'],
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
      },
    },
  },
  renderer: {
    ...rendererOptions,
    build: { ...rendererOptions.build, rollupOptions: { input: path('renderer/index.html') } },
  },
});
