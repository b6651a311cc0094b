import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishing, TestLab } from '../support.ts';

const SECRET = 'the secret key is 12345';
const lab = new TestLab();
const texts = join(lab.home, '..', `${lab.home.split('/').at(-1)}-texts`);
const secret = join(lab.home, '..', `${lab.home.split('/').at(-1)}-secret`);
beforeAll(async () => {
  for (const folder of [texts, secret]) mkdirSync(folder);
  writeFileSync(join(secret, 'key.txt'), `${SECRET}\n\n`.repeat(50));
  writeFileSync(join(secret, 'settings.yaml'), `${SECRET.replaceAll(' ', '_')}: 1\n`);
  writeFileSync(join(texts, 'a.txt'), 'An open text that may be read.\n\n'.repeat(50));
  symlinkSync(join(secret, 'key.txt'), join(texts, 'link.txt'));
  symlinkSync(secret, join(texts, 'folder'));
  writeFileSync(join(texts, 'stored.txt'), '../'.concat(secret.split('/').at(-1)!, '/key.txt'));
  execFileSync('mkfifo', [join(texts, 'pipe.yaml'), join(texts, 'pipe.txt')]);
  await lab.open(finishing, { folders: [texts] });
});
afterAll(async () => {
  await lab.close();
  execFileSync('rm', ['-rf', texts, secret]);
});

describe('a page and the files of the machine', () => {
  it.each(['data.sample', 'data.stats', 'fit.report', 'settings.check'] as const)(
    '%s reads no file that is not open, and says nothing of it',
    async (route) => {
      const client = lab.client();
      const givens: { values: Record<string, string>; recipe?: string }[] = [
        { values: { 'data.corpus': join(secret, 'key.txt') } },
        { values: {}, recipe: join(secret, 'settings.yaml') },
      ];
      for (const given of givens) {
        const error = await client.call(route, given).then(
          () => undefined,
          (each: unknown) => each,
        );
        expect(error).toMatchObject({ code: 'denied', message: expect.stringContaining('--allow') });
        expect(JSON.stringify(error)).not.toMatch(/12345/u);
      }
    },
  );

  it('sweeps are neither planned nor launched over such files', async () => {
    const client = lab.client();
    const draft = { recipe: 'quick', parameters: { 'data.corpus': { values: ['stories', join(secret, 'key.txt')] } } };
    for (const route of ['sweeps.plan', 'sweeps.launch'] as const)
      await expect(client.call(route, { draft })).rejects.toMatchObject({ code: 'denied' });
    expect((await client.call('runs.list', { filter: {} })).runs.count).toBe(0);
  });

  it('reads an open folder, but follows no link out of it (would catch a link that opens the machine)', async () => {
    const client = lab.client();
    const { text } = await client.call('data.sample', { values: { 'data.corpus': texts, 'data.validation': 0.1 } });
    expect(text).toContain('An open text');
    expect(text).not.toContain('12345');
    const facts = await client.call('data.stats', { values: { 'data.corpus': texts, 'data.validation': 0.1 } });
    const left = (facts.reading.corpus?.leftOut ?? []).map(({ what }) => what);
    expect(left).toContain('links that lead out of the folders that were opened for pages');
    expect(left).toContain('not a file but a named pipe');
    await expect(
      client.call('data.stats', { values: { 'data.corpus': join(texts, 'link.txt') } }),
    ).rejects.toMatchObject({ code: 'denied' });
  });

  it('reads the data folder, but not the keys in it (would catch a page that stays in after all were turned out)', async () => {
    const client = lab.client();
    writeFileSync(join(lab.home, 'serving.json'), JSON.stringify([{ key: SECRET }]));
    const values = { 'data.corpus': join(lab.home, '*.json'), 'data.column': 'key' };
    await expect(client.call('data.sample', { values })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining("a file of the lab's own"),
    });
  });

  it('waits for no pipe (would catch one that blocks the data of everybody)', async () => {
    const client = lab.client();
    await expect(client.call('settings.check', { values: {}, recipe: join(texts, 'pipe.yaml') })).rejects.toMatchObject(
      { code: 'invalid', message: expect.stringContaining('not a file') },
    );
    await expect(
      client.call('data.stats', { values: { 'data.corpus': join(texts, 'pipe.txt') } }),
    ).rejects.toMatchObject({ message: expect.stringContaining('named pipe') });
  });
});
