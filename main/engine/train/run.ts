/** One training run from its configuration to its end: prepares everything, continues from a checkpoint, reports. */
import type { EngineEnd, EngineInfo } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { OutOfMemoryError } from '../executors/executor.ts';
import { useDataFolder } from '../executors/dataFolder.ts';
import type { Executor } from '../executors/executor.ts';
import { selectExecutor } from '../executors/select.ts';
import { precisionOf } from '../nn/precision.ts';
import { programsOf, samplingProgram } from '../nn/programs.ts';
import { BUILT_IN } from '../kind.ts';
import type { Kinds } from '../kind.ts';
import { buildTraining } from '../nn/training.ts';
import { buildSchedules, scheduleWarnings } from '../optim/schedule.ts';
import type { PlannedEnd } from '../optim/schedule.ts';
import { Stream } from '../random/stream.ts';
import { CheckpointStore } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { PreparedData } from './data.ts';
import { prepareData } from './dataset.ts';
import { describeEnvironment } from './environment.ts';
import { makeFolders } from './folders.ts';
import { lockFolder } from './lock.ts';
import { TrainingLoop } from './loop.ts';
import { metricFamily } from './measures/index.ts';
import { rehearse, wantsRehearsal } from './preflight.ts';
import type { RunOptions } from './runOptions.ts';
import { MetricRecorder } from './recorder.ts';
import { Runtime } from './runtime.ts';
import { generateTokens } from './sample.ts';
import { checkContinues, otherExecutor } from './state.ts';
import type { RunState } from './state.ts';
import { StopRules } from './stopRules.ts';
import type { PlannedRun } from './stopRules.ts';
import { plannedAfter } from './stopRules.ts';
import { openFilesProblem } from '../../files/openFiles.ts';
import { StepBatches } from './batches.ts';
import { batchPlan } from '../batch/plan.ts';
import { stagesText } from '../batch/words.ts';

/** Runs to the end and returns it; errors become a `failed` end. The end is not emitted. */
export async function run(options: RunOptions): Promise<EngineEnd> {
  const resources: (() => void)[] = [];
  let loop: TrainingLoop | undefined;
  const ended = (state: EngineEnd['state'], reason: string): EngineEnd => ({
    type: 'end',
    state,
    reason,
    steps: loop?.counters.steps ?? 0,
    tokens: loop?.counters.tokens ?? 0,
    summary: loop?.summary ?? {},
  });
  try {
    const prepared = await prepare(options, resources);
    if (prepared === undefined) return ended('stopped', 'stopped before the first step');
    loop = prepared;
    const { state, reason } = await loop.run();
    return ended(state, reason);
  } catch (error) {
    return ended('failed', failureReason(error));
  } finally {
    for (const release of resources.reverse()) release();
  }
}

/** An error in words for the run's record. */
export function failureReason(error: unknown): string {
  if (error instanceof OutOfMemoryError)
    return `out of memory: ${error.message}; lower batch.micro, model.context, model.width or model.depth`;
  return openFilesProblem(error) ?? (error instanceof Error ? error.message : String(error));
}

/** Everything up to the first step. Undefined when a stop was asked for meanwhile. */
async function prepare(options: RunOptions, resources: (() => void)[]): Promise<TrainingLoop | undefined> {
  const { start, control, emit } = options;
  const { paths } = start;
  const kinds = (await options.loadKinds?.(start.plugins)) ?? BUILT_IN;
  // A run of an earlier version goes on with the settings that came later as they would have been.
  const config = kinds.complete(start.config);
  const phase = (name: string, fraction?: number, eta?: number) => emit({ type: 'phase', name, fraction, eta });
  const warn = (text: string) => emit({ type: 'log', level: 'warning', text });

  phase('wait for the checkpoints');
  await makeFolders(paths);
  const lock = await lockFolder(paths.checkpoints);
  resources.push(() => lock.release());
  const checkpoints = new CheckpointStore<RunState>(paths.checkpoints, options.files);
  await checkpoints.prepare();
  const checkpoint = start.resume ? await latest(checkpoints, warn) : undefined;
  if (!start.resume) await checkpoints.clear();

  const data = await prepareWithAbort(options, config, kinds, phase);
  if (control.stopping || data === undefined) return undefined;
  if (checkpoint !== undefined)
    checkContinues({ ...checkpoint.state, config: kinds.complete(checkpoint.state.config) }, config, data.info.hash);

  phase('compile');
  if (paths.home !== undefined) useDataFolder(paths.home);
  const { vocabularySize, keyMasked } = data;
  const programs = buildTraining({ config, vocabularySize, keyMasked, kinds });
  const plan = batchPlan(config, kinds);
  const batches = new StepBatches(plan, data, programs, config.seed as number);
  const planned = { stages: batches.planned(), parameterCounts: programs.parameterCounts };
  const rules = new StopRules(config, { ...planned, varies: plan.varies });
  const end = plannedEnd(config, planned, rules);
  if (plan.changes) emit({ type: 'log', level: 'log', text: stagesText(plan) });
  const schedules = buildSchedules(config, programs, end, kinds);
  for (const text of [...programs.unused, ...scheduleWarnings(config, end, kinds)]) warn(text);

  const executor = await (options.openExecutor ?? openFor(emit))(config);
  if (checkpoint === undefined)
    await rehearseIfLong(options, { config, data, executor, rules, stages: planned.stages });
  if (control.stopping) return undefined;
  const runtime = new Runtime(executor, programs, programsOf(config, data, kinds), checkpoint?.state.decisions);
  resources.push(() => runtime.dispose());
  runtime.loadAll();
  const moved = checkpoint && otherExecutor(checkpoint.state, runtime.executor);
  for (const text of [...(moved === undefined ? [] : [moved]), ...(runtime.session.remarks ?? [])]) warn(text);
  emit(info({ data, runtime, executor, rules, planned, varies: plan.varies, end }));

  const recorder = new MetricRecorder((seq, columns) => emit({ type: 'metrics', seq, columns }));
  options.onRecorder?.(recorder);
  // Training that waits for a host that hangs or is gone can be stopped.
  control.onChange(() => recorder.release());
  const loop = new TrainingLoop({
    config,
    metrics: kinds.all(metricFamily),
    kinds,
    runtime,
    data,
    schedules,
    rules,
    batches,
    checkpoints,
    recorder,
    control,
    emit,
    sample: (tokens, step) => sampleText(runtime, data, config, tokens, step),
  });
  if (checkpoint === undefined) runtime.initialize(config.seed as number);
  else await loop.restore(checkpoint);
  emit({ type: 'begin', step: checkpoint?.step ?? 0, keepUpTo: checkpoint?.state.points.keepUpTo ?? -1 });
  phase('train');
  return loop;
}

/** @throws Error saying what would end the run later */
async function rehearseIfLong(
  options: RunOptions,
  {
    config,
    data,
    executor,
    rules,
    stages,
  }: Pick<InfoParts, 'data' | 'executor' | 'rules'> & Pick<PlannedRun, 'stages'> & { readonly config: Config },
): Promise<void> {
  const { emit } = options;
  const steps = rules.plannedSteps;
  const flops = steps === undefined ? Infinity : plannedAfter(stages, steps, 'flops');
  if (!wantsRehearsal(config, executor.device.executor, flops)) return;
  const phase = (fraction?: number, eta?: number): void => emit({ type: 'phase', name: 'preflight', fraction, eta });
  phase();
  const { problem, short } = await rehearse(run, {
    config,
    data,
    options: { ...options, openExecutor: () => Promise.resolve(executor) },
    unlessShort: config.preflight === 'auto' ? steps : undefined,
    onProgress: phase,
  });
  if (problem !== undefined) throw new Error(`preflight: ${problem}`);
  if (!short)
    emit({ type: 'log', level: 'log', text: 'preflight: two steps, an evaluation and a checkpoint went well' });
}

/** Opens what `device` asks for; a choice made by Sweeplab is written down with its reasons. */
const openFor =
  (emit: RunOptions['emit']) =>
  async (config: Config): Promise<Executor> => {
    const { device } = config;
    const { executor, passedOver, isBroken } = await selectExecutor(device as string, precisionOf(config));
    if (passedOver.length > 0) {
      const text = `device ${device} takes ${executor.device.executor} (${executor.device.name}); not used: ${passedOver.join('; ')}`;
      // What trains many times slower than it could is no small thing.
      emit({ type: 'log', level: isBroken ? 'warning' : 'log', text });
    }
    return executor;
  };

/** Prepares the data; undefined when a stop came first. */
async function prepareWithAbort(
  { start, control, prepare: given }: RunOptions,
  config: Config,
  kinds: Kinds,
  phase: (name: string, fraction?: number, eta?: number) => void,
): Promise<PreparedData | undefined> {
  const abort = new AbortController();
  control.onChange(() => abort.abort());
  try {
    return await (given ?? prepareData)({
      config,
      kinds,
      cache: start.paths.cache,
      onProgress: phase,
      signal: abort.signal,
    });
  } catch (error) {
    if (control.stopping) return undefined;
    throw error;
  }
}

async function latest(
  checkpoints: CheckpointStore<RunState>,
  warn: (text: string) => void,
): Promise<Checkpoint<RunState> | undefined> {
  const { checkpoint, problems } = await checkpoints.latest('last');
  for (const problem of problems) warn(problem);
  if (checkpoint === undefined && problems.length > 0) warn('no checkpoint can be used: the run begins again');
  return checkpoint;
}

/** Where the run is planned to end, in steps or else in time. Steps that may take more than planned reach a limit in tokens earlier: then tokens say where it is. */
function plannedEnd(config: Config, planned: PlannedRun, rules: StopRules): PlannedEnd {
  const steps = new StopRules(config, planned).plannedSteps;
  const tokensPerStep =
    steps === undefined ? planned.stages.at(-1)!.tokens : plannedAfter(planned.stages, steps, 'tokens') / steps;
  const seconds = (config['stop.seconds'] as number) || undefined;
  return { steps, seconds, tokensPerStep, inTokens: steps !== undefined && rules.plannedSteps === undefined };
}

interface InfoParts {
  readonly data: PreparedData;
  readonly runtime: Runtime;
  readonly executor: Executor;
  readonly rules: StopRules;
  readonly planned: PlannedRun;
  readonly varies: boolean;
  readonly end: PlannedEnd;
}

function info({ data, runtime, executor, rules, planned, varies, end }: InfoParts): EngineInfo {
  const { plannedSteps } = rules;
  return {
    type: 'info',
    parameterCount: runtime.programs.parameterCount,
    flopsPerToken: runtime.programs.flopsPerToken,
    tokensPerStep: end.tokensPerStep,
    plannedSteps: plannedSteps ?? null,
    plannedFlops: plannedSteps === undefined ? null : plannedAfter(planned.stages, plannedSteps, 'flops'),
    varies,
    limit: rules.limit ?? null,
    dataset: data.info,
    environment: describeEnvironment(executor.device, runtime.session.products),
    memory: runtime.memory(),
  };
}

/** Text from the beginning of a document; the same step of the same run always draws the same numbers. */
async function sampleText(
  runtime: Runtime,
  data: PreparedData,
  config: Config,
  tokens: number,
  step: number,
): Promise<string> {
  const generate = samplingProgram(config);
  const drawn = await generateTokens({
    session: runtime.session,
    loaded: runtime.program(generate),
    context: generate.length,
    keyMasked: data.keyMasked,
    prompt: [data.endToken],
    tokens,
    temperature: 1,
    topK: 0,
    topP: 1,
    random: new Stream(config.seed as number, 'sample', step),
    endToken: -1,
  });
  return data.decode(drawn);
}
