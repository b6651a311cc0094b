/** Runs the engine in this process against a host that is a few lines: commits points, acknowledges, notes every message. */
import { join } from 'node:path';
import type { EngineEnd, EngineMessage } from '../../../preload/contract/engine.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { selectExecutor } from '../../../main/engine/executors/select.ts';
import type { Executor, LoadedProgram, TypedArray } from '../../../main/engine/executors/executor.ts';
import type { CheckpointFiles } from '../../../main/engine/train/checkpoint.ts';
import { OPTIMIZER, WEIGHTS } from '../../../main/engine/train/checkpoint.ts';
import { BUILT_IN } from '../../../main/engine/kind.ts';
import type { Kinds } from '../../../main/engine/kind.ts';
import { TrainingControl } from '../../../main/engine/train/control.ts';
import type { PrepareData } from '../../../main/engine/train/data.ts';
import type { MetricRecorder } from '../../../main/engine/train/recorder.ts';
import { run } from '../../../main/engine/train/run.ts';
import { SafetensorsFile } from '../../../main/engine/train/safetensors.ts';
import { fakeData } from './fakeData.ts';

type Message<T extends EngineMessage['type']> = Extract<EngineMessage, { type: T }>;

export class FakeHost {
  readonly series = new Map<string, Map<number, number>>();
  readonly messages: EngineMessage[] = [];
  /** Acknowledge or not: a host that hangs. */
  acknowledging = true;

  receive(message: EngineMessage, recorder: MetricRecorder | undefined): void {
    this.messages.push(message);
    if (message.type === 'begin') {
      for (const points of this.series.values()) {
        for (const step of points.keys()) if (step > message.keepUpTo) points.delete(step);
      }
    }
    if (message.type !== 'metrics') return;
    for (const { metric, steps, values } of message.columns) {
      const points = this.series.get(metric) ?? new Map<number, number>();
      this.series.set(metric, points);
      steps.forEach((step, i) => {
        if (points.has(step)) throw new Error(`${metric}: step ${step} twice`);
        points.set(step, values[i]!);
      });
    }
    if (this.acknowledging) recorder?.acknowledge(message.seq);
  }

  of<T extends EngineMessage['type']>(type: T): Message<T>[] {
    return this.messages.filter((message): message is Message<T> => message.type === type);
  }

  /** Series that must be reproducible: everything but timings and what the machine shows. */
  get reproducible(): Record<string, [number, number][]> {
    const timings = new Set(['seconds', 'tokens_per_second', 'system/memory']);
    return Object.fromEntries(
      [...this.series]
        .filter(([metric, points]) => !timings.has(metric) && points.size > 0)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([metric, points]) => [metric, [...points].toSorted(([a], [b]) => a - b)]),
    );
  }
}

export interface TrainingOptions {
  readonly config: Config;
  readonly folder: string;
  readonly host?: FakeHost;
  readonly resume?: boolean;
  readonly prepare?: PrepareData;
  /** The kinds that exist, those of plug-ins included. */
  readonly kinds?: Kinds;
  readonly files?: CheckpointFiles;
  /**
   * Called before each run of a program (`calls` counts the runs of this one; returning false skips it) and after it with its
   * outputs, which may be changed and are handed on when what it returns has come.
   */
  readonly onProgram?: (
    name: string,
    calls: number,
    outputs: Record<string, TypedArray> | undefined,
    control: TrainingControl,
  ) => boolean | void | Promise<void>;
  /** Called with every program that the run loads. */
  readonly onLoad?: (loaded: LoadedProgram) => void;
  /** Opened already, instead of the one that the configuration asks for. */
  readonly executor?: Executor;
  /** Steps that the executor lets be given ahead, instead of its own number. */
  readonly stepsAhead?: number;
  /** Sees every message before the host; may stop the run, or throw to break it off like a kill. */
  readonly onMessage?: (message: EngineMessage, control: TrainingControl) => void;
}

/** What a kill looks like from inside: nothing after it happens. */
export class Killed extends Error {}

export async function train(options: TrainingOptions): Promise<{ end: EngineEnd; host: FakeHost }> {
  const host = options.host ?? new FakeHost();
  const control = new TrainingControl();
  let recorder: MetricRecorder | undefined;
  let killed = false;
  const end = await run({
    start: {
      type: 'start',
      runId: 'test',
      config: options.config,
      paths: { checkpoints: join(options.folder, 'checkpoints'), cache: join(options.folder, 'cache') },
      resume: options.resume ?? false,
      plugins: [],
    },
    control,
    emit: (message) => {
      if (killed) throw new Killed();
      try {
        options.onMessage?.(message, control);
      } catch (error) {
        killed = true;
        throw error;
      }
      host.receive(message, recorder);
    },
    onRecorder: (made) => (recorder = made),
    prepare: options.prepare ?? fakeData(),
    loadKinds: () => Promise.resolve(options.kinds ?? BUILT_IN),
    files: options.files,
    openExecutor: async (config) => {
      const opened = options.executor ?? (await selectExecutor(config.device as string)).executor;
      const executor: Executor =
        options.stepsAhead === undefined ? opened : { ...opened, stepsAhead: options.stepsAhead };
      return options.onProgram === undefined && options.onLoad === undefined
        ? executor
        : tampered(executor, options, control);
    },
  });
  return { end, host };
}

/** Every tensor of the newest checkpoint, bit for bit comparable. */
export async function tensorsOf(host: FakeHost): Promise<Record<string, Float32Array>> {
  const { path } = host.of('checkpoint').findLast((message) => message.kind === 'last')!;
  const tensors: Record<string, Float32Array> = {};
  for (const name of [WEIGHTS, OPTIMIZER]) {
    const file = await SafetensorsFile.open(join(path, name));
    for (const tensor of file.header.tensors.keys()) tensors[tensor] = await file.read(tensor);
    await file.close();
  }
  return tensors;
}

/** The executor with `onProgram` and `onLoad` between it and the engine. */
function tampered(
  executor: Executor,
  { onProgram, onLoad }: Pick<TrainingOptions, 'onProgram' | 'onLoad'>,
  control: TrainingControl,
): Executor {
  return {
    ...executor,
    open(states, decided) {
      const session = executor.open(states, decided);
      const calls = new Map<string, number>();
      return {
        load(program) {
          const loaded = session.load(program);
          onLoad?.(loaded);
          return loaded;
        },
        read: (...what) => session.read(...what),
        write: (...what) => session.write(...what),
        memory: () => session.memory(),
        get remarks() {
          return session.remarks ?? [];
        },
        ...(session.products === undefined ? {} : { products: session.products }),
        decisions: () => session.decisions?.(),
        dispose: () => session.dispose(),
        async run(loaded, inputs) {
          const { name } = loaded.program;
          const call = (calls.get(name) ?? 0) + 1;
          calls.set(name, call);
          if (onProgram?.(name, call, undefined, control) === false)
            return Object.fromEntries(
              [...loaded.program.outputs.keys()].map((key) => [key, Float32Array.of(Infinity)]),
            );
          const outputs = await session.run(loaded, inputs);
          await onProgram?.(name, call, outputs, control);
          return outputs;
        },
      };
    },
  };
}

/** Asks for a stop during update number `step` of the process. */
export const stopDuring =
  (step: number, urgent = false): NonNullable<TrainingOptions['onProgram']> =>
  (name, calls, outputs, control) => {
    if (name === 'update' && calls === step && outputs) control.stop(urgent);
  };
