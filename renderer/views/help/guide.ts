/** The pages of the guide, carried with the app. */
import { theme } from '../../stores/theme.ts';
import type { GuidePage } from './blocks.ts';

/** Made when the interface is built, from Markdown (`vite.config.ts`). */
const pages = import.meta.glob<GuidePage>('../../../resources/guide/*.md', { import: 'default' });
const images = import.meta.glob<string>('../../../resources/guide/*.{png,webp,svg}', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** In the order of reading; pages that are not named here follow by name. */
const ORDER = [
  'start',
  'sweeps',
  'fit',
  'reading',
  'data',
  'models',
  'attention',
  'optimizers',
  'batches',
  'files',
  'figures',
  'metrics',
  'gpu',
  'remote',
  'wandb',
  'programs',
  'import',
  'plugins',
  'examples',
  'troubleshooting',
];
const TITLES: Readonly<Record<string, string>> = {
  start: 'First steps',
  sweeps: 'Building a sweep',
  fit: 'Will it fit',
  reading: 'Reading the results',
  data: 'Data and tokenizers',
  models: 'Models',
  attention: 'Attention',
  optimizers: 'Optimizers and schedules',
  batches: 'Batches that change',
  files: 'Files and who may read them',
  figures: 'Figures and reports',
  metrics: 'Metrics',
  import: 'Runs of other tools',
  gpu: 'Training on a GPU',
  remote: 'Remote workstations',
  wandb: 'Scripts that log with wandb',
  programs: 'Any program as a run',
  plugins: 'Kinds of your own',
  examples: 'Plug-ins by example',
  troubleshooting: 'When something is wrong',
};

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/u, '');
const pathOf = new Map(Object.keys(pages).map((path) => [nameOf(path), path]));
const rank = (name: string): number => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);

export interface Page {
  readonly name: string;
  readonly title: string;
}

export const PAGES: readonly Page[] = [...pathOf.keys()]
  .filter((name) => name !== 'README')
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
  .map((name) => ({ name, title: TITLES[name] ?? name[0].toUpperCase() + name.slice(1).replaceAll('-', ' ') }));

export async function readPage(name: string): Promise<GuidePage | null> {
  const path = pathOf.get(name);
  return path === undefined ? null : await pages[path]();
}

/** The served address of an image beside the page: of `board-light.png` its dark twin, where the app is dark. */
export function guideImage(source: string): string | undefined {
  const name = source.replace(/^\.\//u, '');
  const at = (file: string): string | undefined => images[`../../../resources/guide/${file}`];
  const twin = name.replace(/-light(?=\.\w+$)/u, `-${theme.value}`);
  return at(twin) ?? at(name);
}
