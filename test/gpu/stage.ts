/** What a stage of a GPU session is. */
import type { CudaDevice } from '../../main/engine/executors/cuda/device.ts';
import type { Executor } from '../../main/engine/executors/executor.ts';
import type { Row } from './report.ts';

export interface StageContext {
  /** Opened when a stage first asks for it. @throws CudaError */
  device(): CudaDevice;
  /** What opens sessions on the card as training does, each with a device of its own. @param products `own`: without cuBLASLt */
  executor(products?: 'own'): Promise<Executor>;
  /** A file of what was carried along, such as results of the CPU executor; undefined where there is none. */
  carriedJson<T>(name: string): T | undefined;
  /** Seconds that the stage may take. */
  readonly limit: number;
  /** Few repeats: times mean nothing. */
  readonly quick: boolean;
  /** Keeps a row, also when the stage fails later. */
  row(row: Row): void;
}

export interface Stage {
  readonly name: string;
  /** Seconds that it may take; it is ended after twice as many. */
  readonly seconds: number;
  /** Does not need a card. */
  readonly anywhere?: boolean;
  /** @throws where something is not right */
  run(context: StageContext): Promise<void>;
}
