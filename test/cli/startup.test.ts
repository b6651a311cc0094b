import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import { sweeplab } from './cli.ts';

/** Makes a process name every module that it loads on its standard error. */
const TELLING = `data:text/javascript,${encodeURIComponent(
  'import{registerHooks}from"node:module";registerHooks({load(url,context,next){process.stderr.write(`loads ${url}\\n`);return next(url,context)}})',
)}`;

it('listing runs loads no setting and no engine, but where one may be named (would catch an import that makes `runs ls` slow again)', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sweeplab-startup-'));
  try {
    const store = openStore(join(home, 'runs.sqlite'));
    store.createRun({ name: 'one', config: { 'model.depth': 4 }, seed: 1, settingKey: 'k' });
    store.close();
    const loaded = async (...words: string[]): Promise<{ parts: Set<string>; stdout: string }> => {
      const { code, stdout, stderr } = await sweeplab(home, words, { env: { NODE_OPTIONS: `--import=${TELLING}` } });
      expect(code, stderr).toBe(0);
      const parts = [...stderr.matchAll(/^loads file:.*\/(main\/(?:engine|lab)|node_modules\/zod)\//gmu)];
      return { parts: new Set(parts.map(([, part]) => part!)), stdout };
    };
    const listed = await loaded('runs', 'ls');
    expect(listed.stdout).toMatch(/ one +queued/u);
    expect([...listed.parts]).toEqual([]);
    const found = await loaded('runs', 'ls', '--where', 'depth=4');
    expect(found.stdout).toMatch(/ one +queued/u);
    expect(found.parts).toContain('main/engine');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
