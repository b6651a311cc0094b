/** What a stage of a GPU session is. */
import type { CudaDevice } from '../../main/engine/executors/cuda/device.ts';
import type { Row } from './report.ts';

export interface StageContext {
  /** Opened when a stage first asks for it. @throws CudaError */
  device(): CudaDevice;
  /** Folder of what was carried along (references of the CPU, kernels of the emulator), or undefined. */
  readonly carried: string | undefined;
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
