import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import type { Draft } from '../../../../preload/contract/draft.ts';
import { LabError } from '../../../../preload/contract/rpc.ts';
import type { NewRun } from '../../../../preload/contract/runs.ts';
import { counted } from '../../../../preload/shared/format.ts';
import { ENTITY } from '../../../endpoint/wandb/graphql.ts';
import { installedGpus } from '../../../engine/executors/installed.ts';
import { hostMemory } from '../../../lab/fit/index.ts';
import { nextRuns, scriptSweep, scriptSweepProblems } from '../../../lab/outside/sweepPlan.ts';
import { commandText } from '../../../lab/programs/command.ts';
import { earlierMemory } from '../../../lab/programs/earlier.ts';
import { createProgramSweep, programRuns, programSweepProblems } from '../../../lab/programs/plan.ts';
import { sweepToYaml } from '../../../lab/sweeps/index.ts';
import type { Handlers, Hub } from '../hub.ts';

/** Commands that are shown. */
const SHOWN = 100;
/** In a question: more nobody reads. */
const TOLD = 8;

const DENIED =
  'Pages start programs only where the person at the machine has said so: sweeplab serve --programs. In a terminal: sweeplab sweep FILE';

export function programRoutes({ lab: { store }, queue, wandb, changed, askStart }: Hub): Handlers<'programs'> {
  return {
    'programs.plan': async ({ draft, folder: given }) => {
      const { problems, folder, runs } = planned(draft, given);
      const agentProblems = scriptSweepProblems(draft);
      const [gpus, host] = await Promise.all([installedGpus(), hostMemory()]);
      return {
        problems,
        agentProblems,
        runs: runs.length,
        settings: new Set(runs.map(({ settingKey }) => settingKey)).size,
        folder,
        commands: runs.slice(0, SHOWN).map(textOf),
        denied: askStart === undefined ? DENIED : null,
        memory: earlierMemory(store, draft),
        cardBytes: gpus.length === 0 ? null : Math.min(...gpus.map(({ totalBytes }) => totalBytes)),
        hostBytes: host.totalBytes,
      };
    },
    'programs.start': async ({ draft, folder: given, limit }) => {
      if (askStart === undefined) throw new LabError('denied', DENIED);
      const { problems, folder, runs } = planned(draft, given);
      if (problems.length > 0) throw new LabError('invalid', problems.join('\n'));
      const words = [
        ...runs.slice(0, TOLD).map(textOf),
        ...(runs.length > TOLD ? [`… and ${runs.length - TOLD} more`] : []),
        '',
        `${counted(runs.length, 'run')}, in ${folder}`,
      ];
      if (!(await askStart(words.join('\n')))) throw new LabError('denied', 'The program was not started.');
      const { sweep, runs: made } = createProgramSweep(store, { draft, runs, limit });
      queue.added();
      changed({ runs: made.map(({ id }) => id), sweeps: [sweep.id] });
      return { sweepId: sweep.id };
    },
    'programs.handOut': ({ draft }) => {
      const problems = scriptSweepProblems(draft);
      if (problems.length > 0) throw new LabError('invalid', problems.join('\n'));
      const project = /^[\w.-]{1,128}$/u.test(draft.project ?? '') ? draft.project! : 'scripts';
      const sweepId = wandb.sweeps.create(draft, sweepToYaml(draft), project);
      return { sweepId, agent: `wandb agent ${ENTITY}/${project}/${sweepId}` };
    },
  };
}

const textOf = ({ program }: NewRun): string => commandText(program!.command);

/** Of a sweep that starts nothing, what its agents would be given. */
function planned(
  draft: Draft,
  given: string,
): { readonly problems: readonly string[]; readonly folder: string; readonly runs: readonly NewRun[] } {
  const folder = given.trim() === '' ? homedir() : resolve(homedir(), given.replace(/^~(?=$|[/\\])/u, homedir()));
  const problems = [...programSweepProblems(draft), ...folderProblems(folder, given)];
  if (problems.length === 0) return { problems, folder, runs: programRuns(draft, folder) };
  const runs = scriptSweepProblems(draft).length === 0 ? nextRuns(scriptSweep(draft), 0) : [];
  return { problems, folder, runs: runs.map((run) => ({ ...run, program: { command: [], folder, resume: null } })) };
}

function folderProblems(folder: string, given: string): string[] {
  if (given.trim() !== '' && !isAbsolute(given) && !given.startsWith('~'))
    return [`the folder is ${given}; allowed: a whole path, or one from ~ on`];
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return [];
  return [`the folder is ${folder}; allowed: one that is there`];
}
