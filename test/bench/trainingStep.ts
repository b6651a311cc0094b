/** Training steps of a model on random tokens, on any executor. */
import type { Executor } from '../../main/engine/executors/executor.ts';
import { sizeOf } from '../../main/engine/graph/value.ts';
import { workingName } from '../../main/engine/nn/context.ts';
import { buildTraining } from '../../main/engine/nn/training.ts';
import { hyperParameters } from '../../main/engine/optim/hyper.ts';
import { initialValues } from '../../main/engine/train/initialize.ts';
import type { BenchModel } from './models.ts';

const scalar = (value: number): Float32Array => Float32Array.of(value);

/** Opens a session with first values. A step is given whole before it is awaited; give the next meanwhile to see what a device can do. */
export function openSteps(executor: Executor, { config, vocabulary, rows, tokens }: BenchModel) {
  const programs = buildTraining({ config, vocabularySize: vocabulary, keyMasked: false });
  const session = executor.open(programs.states);
  const states = new Set(programs.states.map(({ name }) => name));
  const accumulate = session.load(programs.accumulate(rows, true));
  const update = session.load(programs.update());
  for (const spec of programs.parameters) {
    const data = initialValues(spec, 1, 0, new Float32Array(sizeOf(spec.shape)));
    session.write(spec.name, data);
    for (const type of ['bf16', 'f16'] as const)
      if (states.has(workingName(spec.name, type))) session.write(workingName(spec.name, type), data);
  }
  const random = () => new Int32Array(tokens).map(() => Math.floor(Math.random() * vocabulary));
  const batches = Array.from({ length: 4 }, () => ({ tokens: random(), targets: random() }));
  let count = 0;
  const step = async (): Promise<{ seconds: number; loss: number }> => {
    const batch = batches[count % batches.length]!;
    count++;
    const start = performance.now();
    const { inputs } = hyperParameters(config, programs, () => 0.3, { step: count - 1, tokens: 0 });
    const [{ lossSum }] = await Promise.all([
      session.run(accumulate, { ...batch, key: Int32Array.of(1, 0, count, 0), lossScale: scalar(1 / tokens) }),
      session.run(update, { ...inputs, gradientScale: scalar(1) }),
    ]);
    return { seconds: (performance.now() - start) / 1000, loss: lossSum![0]! / tokens };
  };
  return { step, session, programs, accumulate };
}
