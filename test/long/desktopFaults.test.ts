/**
 * Whether the suite of the desktop app would notice: each fault is built into the app, one at a time, and one of its steps has to fail. The
 * same steps pass over the app as it is. Prints which fault was noticed by whom. `npm run test:long -- test/long/desktopFaults.test.ts`;
 * SWEEPLAB_LONG_SHARE takes a part of them.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../../main/host/buildPages.ts';
import { buildAdapters, whyNoDesktop } from '../e2e/desktop.ts';
import { FAULTS } from './desktopFaultList.ts';
import { shareOf } from './share.ts';

// Each runs steps of a suite, which has its own patience.
vi.setConfig({ testTimeout: 3_600_000 });

const missing = await whyNoDesktop('stand-in');
const chosen = FAULTS.slice(0, shareOf(FAULTS.length));
const selections = [...new Map(chosen.map(({ steps }) => [steps.join(', '), steps]))];

describe.skipIf(missing !== undefined)(
  `faults of the desktop app${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'sweeplab-faults-'));
    const noticed: [what: string, who: string][] = [];

    beforeAll(async () => {
      copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
      // The lab's process and the pages are the same for all.
      for (const each of ['main', 'preload', 'resources', 'node_modules'])
        symlinkSync(join(ROOT, each), join(folder, each));
      await buildAdapters({ out: join(folder, 'out') });
      symlinkSync(join(ROOT, 'out/renderer'), join(folder, 'out/renderer'));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
      const width = Math.max(...noticed.map(([what]) => what.length));
      console.log(noticed.map(([what, who]) => `${what.padEnd(width)}  ${who}`).join('\n'));
    });

    it.each(selections)(
      'none, and these pass: %s (would catch steps that fail for another reason)',
      async (_, steps) => {
        expect(await tryOut(folder, steps)).toEqual({ passed: steps.length });
      },
    );

    it.each(chosen)('$what', async ({ what, file, changes, steps }) => {
      const path = join(ROOT, file);
      const text = readFileSync(path, 'utf8');
      for (const [from] of changes) expect(text.split(from), from).toHaveLength(2);
      let built = 0;
      await buildAdapters({
        out: join(folder, 'out'),
        change(id, source) {
          if (id !== path) return undefined;
          built += 1;
          return changes.reduce((all, [from, to]) => all.replace(from, () => to), source);
        },
      });
      expect(built).toBeGreaterThan(0);
      const { failed, why } = await tryOut(folder, steps);
      noticed.push([what, failed === undefined ? 'nobody' : [failed, why].filter(Boolean).join(': ')]);
      // One that stumbles before has noticed nothing, but for an app that does not even start.
      expect(failed).toSatisfy((step?: string) => step === START || step?.startsWith(steps.at(-1)!) === true);
    });
  },
);

interface Outcome {
  /** How many steps. */
  readonly passed: number;
  /** The title of the first that did not. */
  readonly failed?: string;
  /** In its words. */
  readonly why?: string;
}

/** In the place of a step: none was tried. */
const START = 'the start';

/** Runs some steps of the suite over a built app, up to the first that fails. @param steps how their titles begin */
function tryOut(app: string, steps: readonly string[]): Promise<Outcome> {
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config=test/vitest.config.ts',
      '--bail=1',
      '--reporter=json',
      `--testNamePattern=on stand-in (?:${steps.join('|')})`,
      'test/e2e/desktop.test.ts',
    ],
    {
      cwd: ROOT,
      // What never comes is not to be waited for as long as on a machine with other work.
      env: {
        ...process.env,
        SWEEPLAB_DESKTOP_APP: app,
        SWEEPLAB_E2E_PATIENCE: process.env.SWEEPLAB_E2E_PATIENCE ?? '30000',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('close', () => {
      try {
        resolve(outcomeOf(said, steps.length));
      } catch {
        reject(new Error(`The suite said:\n${said}`));
      }
    });
  });
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** @param steps how many were to run */
function outcomeOf(said: string, steps: number): Outcome {
  const { testResults } = JSON.parse(said.slice(said.indexOf('{"'))) as Report;
  const results = testResults.flatMap((file) => file.assertionResults);
  const passed = results.filter(({ status }) => status === 'passed').length;
  const failed = results.find(({ status }) => status === 'failed');
  // A test that was given up has no words of its own.
  const firstLine = (text = ''): string => text.split('\n')[0].replace('Error: STACK_TRACE_ERROR', 'given up');
  if (failed !== undefined)
    return { passed, failed: failed.title.replace(/ \(.*/u, ''), why: firstLine(failed.failureMessages[0]) };
  // What fails before the first step fails none of them.
  if (passed < steps)
    return { passed, failed: START, why: testResults.map(({ message }) => firstLine(message)).join(' ') };
  return { passed };
}
