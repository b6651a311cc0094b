/**
 * The memory plan of a run before it starts: persistent state, one arena shared by all its programs, and what its process needs
 * besides. For executors that allocate the plan (`exact`) state and arena are their allocations to the byte.
 */
import { availableParallelism } from 'node:os';
import { persistentBytes } from '../../engine/compile/plan.ts';
import type { ProgramUse } from '../../engine/compile/use.ts';
import { heldBytes, isKeyMasked } from '../../engine/data/index.ts';
import { tokenizerOf, vocabularyOf } from '../../engine/data/tokenizers/index.ts';
import type { BaseBytes as ExecutorBase, Profile } from '../../engine/executors/executorKind.ts';
import { executorKind } from '../../engine/executors/index.ts';
import { sizeOf } from '../../engine/graph/value.ts';
import { batchPlan } from '../../engine/batch/plan.ts';
import { programKey, programsOf, trains } from '../../engine/nn/programs.ts';
import type { ProgramCall } from '../../engine/nn/programs.ts';
import type { ParameterCounts } from '../../engine/nn/parameterCounts.ts';
import { builtInCatalog } from '../../engine/catalog.ts';
import type { Catalog } from '../../engine/catalog.ts';
import { buildTraining } from '../../engine/nn/training.ts';
import type { TrainingPrograms } from '../../engine/nn/training.ts';
import { PIECE } from '../../engine/train/safetensors.ts';
import type { BaseBytes, FitPlan as Plan, FitStage, LayerBytes } from '../../../preload/contract/fit.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { estimateDataset, plannedLength } from './budget.ts';
import type { DatasetSize } from './budget.ts';
import { layerOf, mostly, peakSentence } from './describe.ts';
import { Memo } from '../../engine/memo.ts';
import { modelKey, optimizerKey } from './memo.ts';
import { downsample } from './downsample.ts';

export interface PlanOptions {
  /** Executor that would train. */
  readonly kind: string;
  /** What it needs besides the plan, where the device tells; else what is usual. */
  readonly base?: ExecutorBase | undefined;
  /** What its programs are compiled for, where the device tells; else what is usual. */
  readonly profile?: Profile | undefined;
  /** The kinds that exist; the built-in ones unless given. */
  readonly catalog?: Catalog | undefined;
  /** What is known of a prepared dataset; else sizes that the settings give are used, and marked as estimates. */
  readonly dataset?: DatasetSize;
}

/** A plan, by the executor that would train. */
export interface FitPlan extends Plan {
  readonly kind: string;
  readonly parameterCounts: ParameterCounts;
}

const FLOPS_CONVENTION =
  '3 × forward (backward counts twice); matrix products of all layers and the head, 2 per multiply-add, and attention over ' +
  'as many keys as a token sees at most, not halved for causality; look-ups, norms and recomputation left out';

/** Name of the row for bytes of the arena that lie between buffers at the peak. */
export const GAPS = 'gaps between buffers';
const POINTS = 240;

const uses = new Memo<ProgramUse>(2048);
const trainings = new Memo<TrainingPrograms>(512);

/** Forgets all remembered plans. */
export function forgetPlans(): void {
  uses.clear();
  trainings.clear();
}

/** Uses of all programs of a run, remembered. */
export interface RunUse {
  /** What is known of the data, or what the settings give. */
  readonly dataset: DatasetSize | undefined;
  readonly training: TrainingPrograms;
  readonly programs: readonly { readonly call: ProgramCall; readonly use: ProgramUse }[];
}

/** Plans every program of a run. @throws RangeError for sizes that do not divide (rules of the settings refuse those first) */
export function runUse(config: Config, { kind, profile, catalog = builtInCatalog, dataset }: PlanOptions): RunUse {
  const vocabularySize = vocabularyOf(config, catalog);
  const model = modelKey(config, catalog);
  const optimizer = optimizerKey(config, catalog);
  const training = trainings.get(`${model} ${optimizer}`, () =>
    buildTraining({ config, vocabularySize, keyMasked: isKeyMasked(config), kinds: catalog }),
  );
  const programs = programsOf(config, dataset, catalog).map((call) => {
    const key = `${kind} ${JSON.stringify(profile)} ${programKey(call)} ${model} ${call.ofOptimizer ? optimizer : ''}`;
    const use = uses.get(key, () => executorKind(kind).use(call.build(training), vocabularySize, profile));
    return { call, use };
  });
  return { training, programs, dataset: dataset ?? estimateDataset(config, catalog) };
}

/** Plans a complete, checked configuration on one kind of executor. */
export function fitPlan(config: Config, options: PlanOptions): FitPlan {
  const { kind, catalog = builtInCatalog } = options;
  const { training, programs } = runUse(config, options);
  const executor = executorKind(kind);
  const persistent = persistentBytes(training.states, executor.stateBytes);
  const largest = programs.reduce((a, b) => (b.use.arenaBytes > a.use.arenaBytes ? b : a));
  const { use } = largest;
  const base = baseOf(config, training, options);
  const tables = programs.reduce((sum, { use: { tableBytes = 0 } }) => sum + tableBytes, 0);
  const taken = (arena: number): number =>
    executor.takenBytes?.(persistent.total, arena, tables) ?? persistent.total + arena + tables;
  const plannedBytes = taken(use.arenaBytes);
  // Between buffers of the arena, and what a device rounds up to.
  const gaps = plannedBytes - persistent.total - use.heldBytes;
  const batches = batchPlan(config, catalog);
  const { length: context, sequences, micro: microBatch } = batches.largest();
  const length = plannedLength(config, training, options.dataset, catalog);
  return {
    kind,
    exact: executor.holds === 'arena',
    memory: executor.memory,
    vocabularySize: vocabularyOf(config, catalog),
    parameterCount: training.parameterCount,
    parameterCounts: training.parameterCounts,
    flopsPerToken: training.flopsPerToken,
    flopsPerTokenForward: training.flopsPerTokenForward,
    flopsConvention: FLOPS_CONVENTION,
    cacheBytesPerToken: training.cacheBytesPerToken,
    notes: training.notes,
    context,
    sequences,
    microBatch,
    accumulation: Math.ceil(sequences / microBatch),
    length,
    stages: length.stages.map((stage): FitStage => {
      const micros = batches.micros(stage);
      const arenaBytes = Math.max(
        ...programs
          .filter(({ call }) => trains(call))
          .filter(({ call: { name, rows, length: tokens, perStep } }) => {
            // Where steps take several batches, the first micro-batch of the second adds to what is there.
            const again = batches.varies && name === 'accumulate' && tokens === stage.length && micros.includes(rows);
            return again || perStep(stage) > 0;
          })
          .map((each) => each.use.arenaBytes),
      );
      return {
        ...stage,
        microBatch: micros[0]!,
        accumulation: micros.length,
        flopsPerToken: training.flopsPerTokenAt(stage.length),
        arenaBytes,
        totalBytes: taken(arenaBytes) + base.bytes,
      };
    }),
    persistent: { bytes: persistent.total, byCategory: persistent.byCategory },
    arena: { bytes: use.arenaBytes, program: use.name },
    programs: programs.map(({ call, use: { name, arenaBytes, heldBytes } }) => ({
      name,
      rows: call.rows,
      length: call.length,
      arenaBytes,
      heldBytes,
    })),
    peak: {
      bytes: use.heldBytes,
      program: use.name,
      instant: use.instant,
      instants: use.instants,
      op: use.op,
      scope: use.scope,
      phase: use.phase,
      sentence: `${peakSentence(use)}, ${mostly(use.byCategory)}`,
    },
    byCategory: {
      ...persistent.byCategory,
      ...use.byCategory,
      ...(gaps > 0 ? { [GAPS]: gaps } : {}),
      ...Object.fromEntries(base.parts.map(({ what, bytes }) => [what, bytes])),
    },
    byLayer: layersOf(persistent.byScope, use, gaps),
    occupancy: downsample(use.occupancy, POINTS),
    base,
    plannedBytes,
    totalBytes: plannedBytes + base.bytes,
  };
}

/** What the run needs besides the plan, in the memory that the plan is in. */
function baseOf(config: Config, training: TrainingPrograms, options: PlanOptions): BaseBytes {
  const { kind, dataset, catalog = builtInCatalog } = options;
  const { base: usual, memory, threadBytes } = executorKind(kind);
  const { base = usual } = options;
  const parts = [{ what: base.what, bytes: base.bytes }];
  const size = dataset ?? estimateDataset(config, catalog);
  if (threadBytes !== undefined)
    parts.push({ what: 'scratch of the kernels', bytes: threadBytes * availableParallelism() });
  if (memory === 'host') {
    // First values and checkpoints move in pieces: one in the state's form, one on its way to the file.
    const largest = training.parameters.reduce((most, { shape }) => Math.max(most, sizeOf(shape)), 0);
    parts.push({ what: 'copies for checkpoints', bytes: 2 * 4 * Math.min(PIECE, largest) });
    const { residentBytes } = tokenizerOf(config, catalog).kind;
    if (residentBytes !== undefined) parts.push({ what: 'tokenizer tables', bytes: residentBytes });
    const perToken = vocabularyOf(config, catalog) <= 65_536 ? 2 : 4;
    if (size !== undefined)
      parts.push({
        what: 'token ids',
        bytes: heldBytes(perToken * size.trainTokens) + heldBytes(perToken * size.validationTokens),
      });
  }
  const guessed = memory === 'host' && size?.exact !== true;
  return { bytes: parts.reduce((sum, part) => sum + part.bytes, 0), basis: guessed ? 'estimated' : base.basis, parts };
}

function layersOf(state: Readonly<Record<string, number>>, use: ProgramUse, gaps: number): LayerBytes[] {
  const layers = new Map<string, { persistentBytes: number; temporaryBytes: number }>();
  const row = (layer: string) => {
    const known = layers.get(layer) ?? { persistentBytes: 0, temporaryBytes: 0 };
    layers.set(layer, known);
    return known;
  };
  for (const [scope, bytes] of Object.entries(state)) row(layerOf(scope)).persistentBytes += bytes;
  for (const [scope, bytes] of Object.entries(use.byScope)) row(layerOf(scope)).temporaryBytes += bytes;
  if (gaps > 0) row(GAPS).temporaryBytes += gaps;
  return [...layers].map(([layer, bytes]) => ({ layer, ...bytes })).sort((a, b) => rank(a.layer) - rank(b.layer));
}

/** Layers in the order in which text passes through them. */
function rank(layer: string): number {
  const block = /^block (\d+)$/u.exec(layer);
  if (block !== null) return 10 + Number(block[1]);
  return (
    {
      'inputs and scalars': 0,
      embedding: 1,
      positions: 2,
      'final norm': 1e7,
      head: 1e7 + 1,
      'gradient norm': 1e7 + 2,
      [GAPS]: 1e7 + 4,
    }[layer] ?? 1e7 + 3
  );
}
