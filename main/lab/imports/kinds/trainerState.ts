/** `trainer_state.json` of Hugging Face's Trainer: its log, with what it says of the training. Of several checkpoints of one run the latest counts. */
import { ImportError } from '../errors.ts';
import { wholeText } from '../files.ts';
import type { ImportFile } from '../files.ts';
import { defineImport } from '../importKind.ts';
import type { Source } from '../importKind.ts';
import type { Receiver } from '../receiver.ts';
import { parseLine } from '../rows/jsonRows.ts';
import { isFields, numberOf } from '../values.ts';
import type { Fields } from '../values.ts';

const NAME = /(?:^|\/)trainer_state\.json$/u;
const CHECKPOINT = /(?:^|\/)checkpoint-(\d+)\/trainer_state\.json$/u;
const MOST = 256 << 20;
/** What it was told to do; the rest is where it stands. */
const SETTINGS = [
  'max_steps',
  'num_train_epochs',
  'train_batch_size',
  'eval_steps',
  'logging_steps',
  'save_steps',
  'trial_name',
];
/** Said once, at the end of the training. */
const FINAL = /^(?:train_runtime|train_samples_per_second|train_steps_per_second|total_flos|train_loss)$/u;

export const trainerState = defineImport({
  name: 'trainer-state',
  label: 'Hugging Face Trainer',
  help: 'trainer_state.json: the log of a training with its evaluations; of a folder of checkpoints the latest.',
  claims: ({ name, text }) => name === 'trainer_state.json' || /"log_history"\s*:/u.test(text),
  unit: (path) => (NAME.test(path) ? path.replace(CHECKPOINT, '').replace(/\/?trainer_state\.json$/u, '') : undefined),
  async read(source, to) {
    const file = latest(source);
    for (const other of source.files)
      if (other !== file) to.note('earlier checkpoints of the same run, whose log the latest holds', other.path);
    await tell(file, source, to);
  },
});

/** The one beside the last checkpoint, or that of the checkpoint with most steps. */
function latest({ files }: Source): ImportFile {
  const steps = (file: ImportFile): number => Number(CHECKPOINT.exec(file.path)?.[1] ?? Infinity);
  return files.toSorted((a, b) => steps(b) - steps(a))[0]!;
}

async function tell(file: ImportFile, source: Source, to: Receiver): Promise<void> {
  const state = stateOf(file.path, await wholeText(file, MOST));
  const run = to.run('');
  const above = source.name.split('/').findLast((part) => part !== '' && part !== 'trainer_state.json');
  const settings = Object.fromEntries(SETTINGS.flatMap((name) => (state[name] == null ? [] : [[name, state[name]]])));
  run.says({
    name: above ?? 'trainer',
    config: { ...settings, ...(isFields(state.trial_params) ? state.trial_params : {}) },
    ...(typeof state.best_model_checkpoint === 'string'
      ? { environment: { best_model_checkpoint: state.best_model_checkpoint } }
      : {}),
  });
  let last = 0;
  for (const [i, entry] of (state.log_history as unknown[]).entries()) {
    const where = `${file.path}, entry ${i + 1} of log_history`;
    if (!isFields(entry)) to.note('entries of the log that are no objects, left out', where);
    else if (typeof entry.step !== 'number' || !Number.isFinite(entry.step))
      to.note('entries of the log without a step, left out', where);
    else {
      last = Math.max(last, entry.step);
      for (const [name, value] of Object.entries(entry)) {
        if (name === 'step') continue;
        const number = typeof value === 'string' ? numberOf(value) : value;
        if (typeof number !== 'number') to.note(`values of ${name} that are no numbers, left out`, where);
        else if (FINAL.test(name)) run.says({ summary: { [name]: number } });
        else run.point(metricOf(name), entry.step, number);
      }
    }
    if (i % 1000 === 999) await to.flush();
  }
  const { global_step: reached, max_steps: most } = state;
  if (typeof reached === 'number' && typeof most === 'number' && most > 0 && reached < most)
    run.says({ state: 'stopped', reason: `at step ${reached} of ${most}` });
}

/** As the callbacks of the Trainer name them for trackers: `eval_loss` → `eval/loss`, `loss` → `train/loss`. */
function metricOf(name: string): string {
  const [, split, rest] = /^(eval|test)_(.+)$/u.exec(name) ?? [];
  if (split !== undefined) return `${split}/${rest}`;
  return name === 'epoch' ? name : `train/${name}`;
}

/** @throws ImportError */
function stateOf(path: string, text: string): Fields {
  try {
    const state = parseLine(text);
    if (isFields(state) && Array.isArray(state.log_history)) return state;
  } catch {
    // Said below.
  }
  throw new ImportError(`${path} is not the state of a Trainer (an object with log_history), or is cut off`);
}
