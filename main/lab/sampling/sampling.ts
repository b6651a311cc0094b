/** Text from the checkpoint of a run. */
import { counted } from '../../../preload/shared/format.ts';
import { join } from 'node:path';
import type { CheckpointKind, RunRecord } from '../../../preload/contract/runs.ts';
import { isKeyMasked } from '../../engine/data/index.ts';
import { prepareDataset } from '../../engine/data/prepare.ts';
import type { OnProgress } from '../../engine/data/progress.ts';
import { selectExecutor } from '../../engine/executors/select.ts';
import { precisionOf } from '../../engine/nn/precision.ts';
import { samplingProgram } from '../../engine/nn/programs.ts';
import { buildTraining } from '../../engine/nn/training.ts';
import { loadCatalog } from '../../engine/plugins.ts';
import { Stream } from '../../engine/random/stream.ts';
import { readCheckpoint, WEIGHTS } from '../../engine/train/checkpoint.ts';
import { Runtime } from '../../engine/train/runtime.ts';
import { SafetensorsFile } from '../../engine/train/safetensors.ts';
import { generateTokens } from '../../engine/train/sample.ts';
import type { SamplingOptions } from '../../engine/train/sample.ts';
import type { Store } from '../../store/index.ts';

export interface SampleRequest extends SamplingOptions {
  /** Continued; empty begins a document. */
  readonly prompt: string;
  readonly tokens: number;
  /** The same seed draws the same text. */
  readonly seed: number;
  /** How many texts. */
  readonly count: number;
  /** Default: the best one where there is one. */
  readonly checkpoint?: CheckpointKind;
  /** End a text where the model ends the document. */
  readonly stopAtEnd: boolean;
}

export interface Sample {
  readonly text: string;
  readonly tokens: number;
}

export interface SamplingSurroundings {
  readonly store: Store;
  readonly cache: string;
  readonly plugins: readonly string[];
  readonly onProgress?: OnProgress;
  readonly onSample?: (sample: Sample, index: number) => void;
}

/** A run that has nothing to sample from, and why. */
export class SampleError extends Error {
  override readonly name = 'SampleError';
}

/** Chooses the checkpoint of a run. @throws SampleError when there is none */
function checkpointOf(store: Store, run: RunRecord, wanted?: CheckpointKind) {
  const all = store.checkpoints(run.id);
  const kinds: CheckpointKind[] = wanted === undefined ? ['best', 'last'] : [wanted];
  const found = kinds.map((kind) => all.find((each) => each.kind === kind)).find((each) => each !== undefined);
  if (found !== undefined) return found;
  const has = all.length === 0 ? 'it has none' : `it has ${all.map(({ kind }) => kind).join(' and ')}`;
  throw new SampleError(
    `run ${run.id} (${run.state}, ${counted(run.steps, 'step')}) has no ${wanted ?? ''} checkpoint to sample from: ${has}`.replace(
      '  ',
      ' ',
    ),
  );
}

/** Loads the weights and writes `count` texts. @throws SampleError, CheckpointError, DataError, ExecutorUnavailableError */
export async function sampleRun(
  run: RunRecord,
  request: SampleRequest,
  around: SamplingSurroundings,
): Promise<Sample[]> {
  const { path } = checkpointOf(around.store, run, request.checkpoint);
  const kinds = await loadCatalog(around.plugins);
  const config = kinds.complete(run.config);
  // Checks every file against its checksum: a damaged checkpoint is refused before anything is computed.
  await readCheckpoint(path);
  const { tokenizer } = await prepareDataset(config, { cacheDir: around.cache, onProgress: around.onProgress, kinds });
  const keyMasked = isKeyMasked(config);
  const programs = buildTraining({ config, vocabularySize: tokenizer.vocabularySize, keyMasked, kinds });
  const { executor } = await selectExecutor(config.device as string, precisionOf(config));
  const generate = samplingProgram(config);
  const runtime = new Runtime(executor, programs, [generate]);
  try {
    const weights = await SafetensorsFile.open(join(path, WEIGHTS));
    try {
      await runtime.restoreWeights(weights);
    } finally {
      await weights.close();
    }
    const samples: Sample[] = [];
    for (let index = 0; index < request.count; index++) {
      const tokens = await generateTokens({
        session: runtime.session,
        loaded: runtime.program(generate),
        context: generate.length,
        keyMasked,
        prompt: [tokenizer.eosId, ...tokenizer.encode(Buffer.from(request.prompt, 'utf8'))],
        tokens: request.tokens,
        temperature: request.temperature,
        topK: request.topK,
        topP: request.topP,
        random: new Stream(request.seed, 'sample', index),
        endToken: request.stopAtEnd ? tokenizer.eosId : -1,
      });
      const sample = {
        text: request.prompt + Buffer.from(tokenizer.decode(tokens)).toString('utf8'),
        tokens: tokens.length,
      };
      samples.push(sample);
      around.onSample?.(sample, index);
    }
    return samples;
  } finally {
    runtime.dispose();
  }
}
