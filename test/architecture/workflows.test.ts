/** What runs on the servers of the repository, where no test of ours looks at it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './sources.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Job {
  readonly steps: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
}
interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = join(ROOT, '.github/workflows');
const workflows = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  return { name, text, ...(parse(text) as Workflow) };
});
const { scripts, dependencies, devDependencies } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as Record<'scripts' | 'dependencies' | 'devDependencies', Record<string, string>>;
const jobs = workflows.flatMap(({ name, jobs: each }) =>
  Object.entries(each).map(([job, what]) => ({ name: `${name} ${job}`, ...what })),
);
const commands = jobs.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? [])).join('\n');

/** Programs of packages that have another name than their package. */
const PROGRAMS: Readonly<Record<string, string>> = { 'install-electron': 'electron' };

describe('workflows', () => {
  it('call scripts and programs that there are (would catch a release that fails on the day it is made)', () => {
    const called = [...commands.matchAll(/\bnpm (?:run (?:-s |--silent )?([\w:-]+)|(test)\b)/gu)].map(
      ([, script, test]) => script ?? test,
    );
    expect(called.length).toBeGreaterThan(3);
    expect(called.filter((name) => !(name in scripts))).toEqual([]);
    const programs = [...commands.matchAll(/\bnpx ([\w-]+)/gu)].map(([, name]) => PROGRAMS[name] ?? name);
    expect(programs.filter((name) => !(name in { ...dependencies, ...devDependencies }))).toEqual([]);
    const files = [...commands.matchAll(/(?:^|\s)(\.ci\/[\w./-]+)/gu)].map(([, path]) => path);
    expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('use actions by what they are, not by a name that can be moved', () => {
    const used = workflows.flatMap(({ text }) => [...text.matchAll(/uses: (.*)$/gmu)].map(([, action]) => action));
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/u.test(action))).toEqual([]);
  });

  it('may write only where a release is made, and end by themselves', () => {
    for (const { name, permissions } of workflows) expect([name, permissions]).toEqual([name, { contents: 'read' }]);
    expect(jobs.filter(({ permissions }) => permissions !== undefined).map(({ name }) => name)).toEqual([
      'release publish',
    ]);
    expect(jobs.filter((job) => job['timeout-minutes'] === undefined).map(({ name }) => name)).toEqual([]);
  });

  it('put nothing of an event into a shell (would catch a title that is run)', () => {
    expect(commands).not.toMatch(/\$\{\{\s*github\.(?:event|head_ref|ref_name)/u);
  });
});
