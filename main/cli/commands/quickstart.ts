/** `sweeplab quickstart`: a first sweep that shows what Sweeplab does, in minutes, without asking anything. */
import { Command } from 'commander';
import { AUTO, executorKind } from '../../engine/executors/index.ts';
import { selectExecutor } from '../../engine/executors/select.ts';
import { COMMAND_LINE, hereOrPackaged } from '../../engine/installation.ts';
import { draftOfRecipe } from '../../../preload/shared/sweeps/recipe.ts';
import { createSweep } from '../../lab/launch.ts';
import { loadRecipe } from '../../lab/settings/index.ts';
import { sweepFromFlags } from '../../lab/sweeps/index.ts';
import { writableLab } from '../context.ts';
import type { Context } from '../context.ts';
import { plural } from '../format.ts';
import { getReady } from '../launch.ts';
import { printPlan } from '../plan.ts';
import { makePlan } from '../readSweep.ts';
import { runSweep } from '../runSweep.ts';

/** Its sweep has two settings with two values each, two seeds: the smallest that has everything a sweep has. */
const RECIPE = 'quick';
/** The recipe is short enough for the portable executor. A native one does four times as much in less time, and shows more. */
const NATIVE_STEPS = '600';

export function quickstartCommand(context: Context): Command {
  return new Command('quickstart')
    .description('Run a first sweep in the terminal: 2 settings × 2 values × 2 seeds on the built-in text, in minutes.')
    .action(() => quickstart(context));
}

async function quickstart(context: Context): Promise<void> {
  const { output, workshop } = context;
  const { paths } = workshop;
  const { executor } = await selectExecutor(AUTO);
  const native = executorKind(executor.device.executor).holds === 'arena';
  const length: Record<string, readonly string[]> = native ? { 'stop.steps': [NATIVE_STEPS] } : {};
  const recipe = await loadRecipe(RECIPE);
  const { sweep } = sweepFromFlags(length, {
    registry: workshop.registry,
    base: draftOfRecipe(recipe),
    name: 'quick start',
  });
  const plan = await makePlan(context, sweep);
  output.note(
    `${output.style('bold', 'Sweeplab')}: do depth and width help a small model of the built-in stories? Each setting with ${plural(plan.seeds.length, 'seed')}.`,
  );
  output.note('');
  printPlan(output, plan);
  output.note('');
  const ready = (await getReady(
    context,
    plan.runs.map(({ config }) => config),
  ))!;
  using lab = await writableLab(context);
  const before = lab.store.countRuns();
  if (before > 0) output.note(`The database already has ${plural(before, 'run')}; this adds a new sweep to it.`);
  const { id } = createSweep(lab.store, ready, { spec: sweep, plan, codeVersion: lab.codeVersion }).sweep;
  const interrupted = await runSweep(context, lab, id, ready.places);
  output.text(`Everything lies in ${paths.home}: runs.sqlite (runs and metrics), checkpoints/, cache/.`);
  if (interrupted) return;
  output.text('');
  output.text('What to do next:');
  const command = hereOrPackaged('npm run sweeplab --', COMMAND_LINE);
  output.text(`  ${command} runs ls                                            all runs`);
  output.text(`  ${command} runs compare --sweep latest                        this table again`);
  output.text(`  ${command} sample --sweep latest                              text from the best model`);
  output.text(`  ${command} sweep --recipe quick --optimizer.lr 1e-3 4e-3 --review`);
  output.text(`  ${command} train --help                                       every setting`);
}
