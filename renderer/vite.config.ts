/** The renderer alone: `vite build --config renderer/vite.config.ts`. Hosts import `rendererOptions` into their own build. */
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import type { Plugin, UserConfig } from 'vite';
import { plainTemplates } from './components/plainTemplates.ts';
import { guidePage } from './views/help/markdown.ts';

/** Not the address's own path: that has `%20` for a space, and `/C:` on Windows. */
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const here = pathOf('.');

/** Pages of the guide are read here, so that no page carries a parser of Markdown. */
const guidePages = (): Plugin => ({
  name: 'guide-pages',
  enforce: 'pre',
  transform: {
    filter: { id: /\/resources\/guide\/[^/]+\.md$/u },
    handler: (source) => ({ code: `export default ${JSON.stringify(guidePage(source))};`, map: null }),
  },
});

export const rendererOptions = {
  root: here,
  // Relative, so that the same files load from app:// and from a local server.
  base: './',
  plugins: [vue({ template: { compilerOptions: { nodeTransforms: [plainTemplates] } } }), guidePages()],
  // One language only: the runtime compiler of templates needs eval, which the content security policy forbids.
  define: {
    __VUE_OPTIONS_API__: 'true',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
  },
  build: {
    outDir: pathOf('../out/renderer'),
    emptyOutDir: true,
    target: 'es2023',
    // Small files as data: URLs would need a laxer policy for images and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
} satisfies UserConfig;

export default defineConfig(rendererOptions);
