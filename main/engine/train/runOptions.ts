/** What a run is started with. */
import type { EngineMessage, EngineStart } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import type { Executor } from '../executors/executor.ts';
import type { Kinds } from '../kind.ts';
import type { CheckpointFiles } from './checkpoint.ts';
import type { TrainingControl } from './control.ts';
import type { PrepareData } from './data.ts';
import type { MetricRecorder } from './recorder.ts';

export interface RunOptions {
  readonly start: EngineStart;
  readonly control: TrainingControl;
  readonly emit: (message: EngineMessage) => void;
  /** Called with the recorder once it exists, to pass acknowledgements on. */
  readonly onRecorder?: (recorder: MetricRecorder) => void;
  /** Where kinds are found, those of the given plug-in files included; the built-in ones alone unless given. */
  readonly loadKinds?: (plugins: readonly string[]) => Promise<Kinds>;
  /** Replaced in tests. */
  readonly prepare?: PrepareData;
  readonly openExecutor?: (config: Config) => Promise<Executor>;
  readonly files?: CheckpointFiles;
}
