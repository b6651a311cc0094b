/**
 * How fast the fit check plans: a 124M model, which must take less than a second, and a sweep of 200 different settings, which must
 * take less than ten.
 *
 *   node test/bench/plan.ts [--json]
 */
import { pathToFileURL } from 'node:url';
import { checkAll, fitPlan, fitReport, forgetPlans, tableGpu, findGpu } from '../../main/lab/fit/index.ts';
import { builtInRegistry, loadRecipe, resolveConfig } from '../../main/lab/settings/index.ts';
import type { Config } from '../../preload/contract/settings.ts';

const PLAN_LIMIT_MS = 1000;
const SWEEP_LIMIT_MS = 10_000;
const ROUNDS = 5;

export interface PlanBenchResult {
  /** First plan of the 124M model in this process, and the median of later ones; nothing is remembered between them. */
  readonly coldMs: number;
  readonly planMs: number;
  /** The whole report, with the largest micro-batch and suggestions. */
  readonly reportMs: number;
  readonly settings: number;
  readonly differentPlans: number;
  readonly sweepMs: number;
  /** Processor time of the sweep: what it takes on a machine that does nothing else. */
  readonly sweepCpuMs: number;
  readonly passed: boolean;
}

export async function planBench(args: readonly string[] = []): Promise<PlanBenchResult> {
  const recipe = await loadRecipe('gpt2-124m');
  const registry = builtInRegistry();
  const configOf = (overrides: Readonly<Record<string, unknown>>, from = recipe): Config => {
    const { config, problems } = resolveConfig({ registry, recipe: from.source, overrides });
    if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
    return config;
  };
  const config = configOf({});
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    forgetPlans();
    times.push(timed(() => fitPlan(config, { kind: 'cuda' })));
  }
  const [coldMs = 0, ...warm] = times;
  forgetPlans();
  const gpu = await tableGpu(findGpu('RTX 3060'));
  const reportMs = timed(() => fitReport(configOf({ 'batch.micro': 64 }), gpu));

  const base = await loadRecipe('llama-style');
  const settings: Config[] = [];
  for (const depth of [4, 6, 8, 10, 12])
    for (const width of [256, 384, 512, 640, 768])
      for (const heads of [4, 8])
        for (const precision of ['fp32', 'bf16'])
          for (const micro of [8, 16])
            settings.push(
              configOf(
                {
                  'model.depth': depth,
                  'model.width': width,
                  'model.heads': heads,
                  'precision.policy': precision,
                  'batch.micro': micro,
                },
                base,
              ),
            );
  forgetPlans();
  let differentPlans = 0;
  const before = process.cpuUsage();
  const sweepMs = timed(() => {
    differentPlans = checkAll(settings, gpu).length;
  });
  const spent = process.cpuUsage(before);
  const sweepCpuMs = (spent.user + spent.system) / 1000;
  const planMs = warm.toSorted((a, b) => a - b)[warm.length >> 1]!;
  const passed = coldMs < PLAN_LIMIT_MS && sweepMs < SWEEP_LIMIT_MS;
  const result = { coldMs, planMs, reportMs, settings: settings.length, differentPlans, sweepMs, sweepCpuMs, passed };
  if (args.includes('--json')) console.log(JSON.stringify(result));
  else {
    console.log(
      `plan of a 124M model: ${coldMs.toFixed(0)} ms first, ${planMs.toFixed(0)} ms again (limit ${PLAN_LIMIT_MS} ms)`,
    );
    console.log(`whole report with search and suggestions: ${reportMs.toFixed(0)} ms`);
    console.log(
      `sweep of ${settings.length} settings, ${differentPlans} different plans: ${(sweepMs / 1000).toFixed(2)} s, processor time ${(sweepCpuMs / 1000).toFixed(2)} s ` +
        `(limit ${SWEEP_LIMIT_MS / 1000} s): ${passed ? 'passed' : 'FAILED'}`,
    );
  }
  return result;
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed } = await planBench(process.argv.slice(2));
  if (!passed) process.exitCode = 1;
}
