import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPlugins, registryWithPlugins, resolveConfig } from '../../../main/lab/settings/index.ts';
import { loadCatalog } from '../../../main/engine/plugins.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweeplab-plugins-'));
});
afterAll(() => rm(folder, { recursive: true }));

let count = 0;
/** Writes a plug-in whose factory returns the given source text. */
async function plugin(body: string, whole?: string): Promise<string> {
  const path = join(folder, `plugin${count++}.ts`);
  await writeFile(path, whole ?? `export default (sweeplab: { version?: number }) => (${body});\n`);
  return path;
}
const setting = (name: string, extra = ''): string =>
  `{ name: '${name}', type: { kind: 'float', min: 0 }, default: 1, help: 'A gain to try.', question: 'stability' ${extra} }`;

describe('plug-ins', () => {
  it('add settings, a model kind and constraints (catches a declared idea that cannot be swept)', async () => {
    const path = await plugin(
      `{ name: 'idea', settings: [${setting('model.my_gain', `, when: 'model.kind == "mine"'`)}],
         models: { mine: { name: 'mine', settings: [${setting('model.other')}], build: () => sweeplab.version } },
         constraints: ['model.my_gain <= 10'] }`,
    );
    const plugins = await loadPlugins([path], { api: { version: 7 } });
    const [mine] = plugins[0].kinds as unknown as { build: () => unknown }[];
    expect(mine.build()).toBe(7);
    const registry = registryWithPlugins(plugins);
    const ok = resolveConfig({
      registry,
      overrides: { 'model.kind': 'mine', 'model.my_gain': '2', 'model.other': '3' },
    });
    expect(ok.problems).toEqual([]);
    expect(ok.config).toMatchObject({ 'model.kind': 'mine', 'model.my_gain': 2, 'model.other': 3 });
    const broken = resolveConfig({ registry, overrides: { 'model.kind': 'mine', 'model.my_gain': '20' } });
    expect(broken.problems[0]).toMatchObject({ code: 'constraint', setting: 'model.my_gain' });
    expect(broken.problems[0].message).toContain('model.my_gain = 20');
    const idle = resolveConfig({ registry, overrides: { 'model.my_gain': '2' } });
    expect(idle.warnings[0].code).toBe('no_effect');
  });

  it('mark settings that name files (catches a path of a page that leads out of what was opened for it)', async () => {
    const path = await plugin(
      `{ name: 'x', settings: [{ name: 'model.from', type: { kind: 'string' }, default: '', help: 'A file.', question: 'data', reads: true }] }`,
    );
    const [{ settings }] = await loadPlugins([path]);
    expect(settings).toMatchObject([{ name: 'model.from', reads: true }]);
    expect(registryWithPlugins(await loadPlugins([path])).get('model.from')?.reads).toBe(true);
  });

  it('loads every .ts of a folder but tests and declarations, in order (catches a stray file run as a plug-in)', async () => {
    const own = await mkdtemp(join(tmpdir(), 'sweeplab-plugins-'));
    await writeFile(join(own, 'b.ts'), `export default () => ({ name: 'b' });`);
    await writeFile(join(own, 'a.ts'), `export default () => ({ name: 'a' });`);
    await writeFile(join(own, 'a.test.ts'), `throw new Error('must not be loaded');`);
    await writeFile(join(own, 'notes.md'), 'text');
    expect((await loadPlugins([], { own })).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await loadPlugins([], { own: join(own, 'missing') })).toEqual([]);
    await rm(own, { recursive: true });
  });

  it.skipIf(process.platform === 'win32')(
    'that are named must be there (catches a name that adds nothing unsaid)',
    async () => {
      const own = await mkdtemp(join(tmpdir(), 'sweeplab-plugins-'));
      try {
        await mkdir(join(own, 'empty'));
        await writeFile(join(own, 'notes.md'), 'text');
        await symlink('round', join(own, 'round'));
        for (const [name, why] of [
          ['missing.ts', 'there is no such file or folder'],
          ['missing', 'there is no such file or folder'],
          ['notes.md/inside', 'there is no such file or folder'],
          ['empty', 'the folder holds none; plug-ins are files that end in .ts'],
          ['round', 'cannot be read: it is a link that leads nowhere'],
        ])
          await expect(loadPlugins([join(own, name!)], { own })).rejects.toMatchObject({
            name: 'PluginError',
            message: `plug-in ${join(own, name!)}: ${why}`,
          });
      } finally {
        await rm(own, { recursive: true });
      }
    },
  );

  it.each([
    ['no default export', undefined, 'export const x = 1;', 'export default'],
    ['throws', undefined, `throw new Error('boom');`, 'boom'],
    ['does not parse', undefined, 'export default (', 'cannot be loaded'],
    ['no name', '{ settings: [] }', undefined, 'name'],
    [
      'a wrong type',
      `{ name: 'x', settings: [{ ...${setting('model.t')}, type: { kind: 'flot' } }] }`,
      undefined,
      'settings.0.type',
    ],
    ['an unknown key', `{ name: 'x', setting: [] }`, undefined, 'setting'],
    [
      'a model without build',
      `{ name: 'x', models: { mine: { name: 'mine' } } }`,
      undefined,
      'build must be a function',
    ],
    [
      'a model by another name',
      `{ name: 'x', models: { mine: { name: 'other', build: () => 1 } } }`,
      undefined,
      '"other"',
    ],
  ])(
    'names the file when a plug-in has %s (catches a stack trace instead of a message)',
    async (_, body, whole, part) => {
      const path = await plugin(body ?? '', whole);
      await expect(loadPlugins([path])).rejects.toThrow(path);
      await expect(loadPlugins([path])).rejects.toThrow(part);
    },
  );

  it.each([
    [`{ name: 'x', settings: [${setting('model.width')}] }`, 'model.width is declared twice'],
    [
      `{ name: 'x', models: { gpt: { name: 'gpt', build: () => 1 } } }`,
      'the model gpt is already declared by Sweeplab',
    ],
    [`{ name: 'x', settings: [${setting('model.z', `, when: 'model.widht > 1'`)}] }`, 'did you mean model.width?'],
    [`{ name: 'x', constraints: ['model.width +'] }`, 'constraint'],
  ])('refuses collision %# naming the file (catches a built-in replaced silently)', async (body, part) => {
    const path = await plugin(body);
    const plugins = await loadPlugins([path]);
    expect(() => registryWithPlugins(plugins)).toThrow(path);
    expect(() => registryWithPlugins(plugins)).toThrow(part);
  });

  it('refuses two plug-ins of one name (catches one of them lost)', async () => {
    const first = await plugin(`{ name: 'same' }`);
    const second = await plugin(`{ name: 'same' }`);
    await expect(loadPlugins([first, second])).rejects.toThrow(`taken by ${first}`);
  });
});

describe('kinds of a plug-in', () => {
  it('of families that the engine does not know pass through it (catches an exchange format that stops training)', async () => {
    const path = await plugin(`{ name: 'x', kinds: [sweeplab.defineExchange({ name: 'tsv', help: 'Tabs.' })] }`);
    expect((await loadCatalog([path])).settings.length).toBeGreaterThan(0);
  });

  it('made with a function that does not exist are refused with the nearest (catches "is not a function")', async () => {
    const path = await plugin(`{ name: 'x', kinds: [sweeplab.defineOptimiser({ name: 'y' })] }`);
    await expect(loadPlugins([path])).rejects.toThrow('no sweeplab.defineOptimiser; did you mean defineOptimizer?');
  });

  it.each([
    [`sweeplab.defineMetric({ name: 'x/y', help: 'A.', section: 'x' })`, 'metric x/y: unit is missing'],
    [`sweeplab.defineMetric({ name: 'x/y', help: 'A.', unit: '', section: 'x', better: 'up' })`, 'better is "up"'],
    [`sweeplab.defineMetric({ name: 'a b', help: 'A.', unit: '', section: 'x' })`, 'such as train/my_number'],
    [
      `sweeplab.defineMetric({ name: 'x', help: 'A.', unit: '', section: 'x', ofStep: 1 })`,
      'ofStep must be a function',
    ],
    [`sweeplab.defineSchedule({ name: 'x', help: 'A.' })`, 'schedule x: needsEnd must be true or false'],
    [`sweeplab.defineAttention({ name: 'x', help: 'A.' })`, 'attention x: needs mask or attend'],
    [`{ name: 'x' }`, 'family'],
  ])('that are wrong are named with kind and field: %s', async (kind, part) => {
    const path = await plugin(`{ name: 'x', kinds: [${kind}] }`);
    await expect(loadPlugins([path])).rejects.toThrow(part);
    await expect(loadPlugins([path])).rejects.toThrow(path);
  });
});
