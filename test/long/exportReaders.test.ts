/**
 * Exports read back by the programs that they are for: the real `tensorboard` package, and Parquet by Arrow and Polars. They need a Python that
 * has them: SWEEPLAB_PYTHON, or python3. Where one is missing its test says so and is skipped.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportFiles, exportPieces } from '../../main/lab/exchange/exports.ts';
import { writeExport, writeExportFolder } from '../../main/lab/exchange/file.ts';
import { parquet } from '../../main/lab/exchange/parquet.ts';
import { tensorboard } from '../../main/lab/exchange/tensorboard.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';
import type { Store } from '../../main/store/index.ts';
import { randomRuns } from '../lab/exchange/randomRuns.ts';
import type { Expected } from '../lab/exchange/randomRuns.ts';
import { storeInFolder } from '../lab/exchange/storeInFolder.ts';

const PYTHON = process.env.SWEEPLAB_PYTHON ?? 'python3';

function has(name: string): boolean {
  const { status, stdout } = spawnSync(PYTHON, ['-c', `import ${name}; print(getattr(${name}, "__version__", ""))`], {
    encoding: 'utf8',
  });
  if (status !== 0) console.warn(`skipped: ${PYTHON} has no ${name}; SWEEPLAB_PYTHON names a Python that does`);
  else console.log(`${name} ${stdout.trim()}`);
  return status === 0;
}

/** What a script prints as JSON; numbers that JSON has not come as their names. */
function answer(script: string, ...args: string[]): unknown {
  const { status, stdout, stderr } = spawnSync(PYTHON, ['-c', script, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONIOENCODING: 'utf8' },
  });
  expect(stderr.includes('Traceback') ? stderr : '').toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout.slice(stdout.indexOf('ANSWER') + 6));
}

const registry = builtInRegistry();
const SEED = Number(process.env.SWEEPLAB_TEST_SEED ?? 11);
let store: Store;
let folder: string;
storeInFolder((made) => ({ folder, store } = made));

/** `repr` of a Python float tells all bits, and names what is not finite. */
const numbers = (texts: readonly string[]): number[] =>
  texts.map((text) =>
    text === 'nan' ? Number.NaN : text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text),
  );

const seriesOf = (expected: readonly Expected[]): Map<string, { steps: number[]; values: number[] }> =>
  new Map(
    expected.flatMap(({ run, series }) =>
      [...series].map(([metric, { step, value }]) => [`${run.id} ${metric}`, { steps: [...step], values: [...value] }]),
    ),
  );

describe.skipIf(!has('tensorboard'))('tensorboard', () => {
  it('reads every point of every metric of every run, unicode names and non-finite values too', async () => {
    const expected = await randomRuns(store, registry.defaults, SEED);
    const runs = store.listRuns();
    const out = join(folder, 'tensorboard');
    await writeExportFolder(out, exportFiles(store, registry, tensorboard, { runs }));
    const found = answer(
      `
import json, os, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
out = {}
for root, _, files in os.walk(sys.argv[1]):
    if not any("tfevents" in name for name in files): continue
    events = EventAccumulator(root, size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    out[os.path.relpath(root, sys.argv[1])] = {
        tag: [[e.step, repr(float(e.value))] for e in events.Scalars(tag)] for tag in tags["scalars"]
    }
print("ANSWER" + json.dumps(out))
`,
      out,
    ) as Record<string, Record<string, [number, string][]>>;
    const read = new Map(
      Object.entries(found).flatMap(([place, tags]) =>
        Object.entries(tags).map(([tag, points]) => {
          const run = runs.find(({ id }) => place.includes(id))!;
          return [
            `${run.id} ${tag}`,
            { steps: points.map(([step]) => step), values: numbers(points.map(([, v]) => v)) },
          ];
        }),
      ),
    );
    const wanted = seriesOf(expected);
    expect([...read.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [name, { steps, values }] of wanted) {
      expect(read.get(name)!.steps, name).toEqual(steps);
      // The format has 32 bits for a number.
      expect(read.get(name)!.values, name).toEqual([...Float32Array.from(values)]);
    }
  });
});

describe.each(['pyarrow', 'polars'])('parquet by %s', (reader) => {
  it.skipIf(!has(reader))('is every point, bit for bit', async () => {
    const expected = await randomRuns(store, registry.defaults, SEED);
    const file = join(folder, 'runs.parquet');
    await writeExport(file, exportPieces(store, registry, parquet, { runs: store.listRuns() }));
    const rows = answer(
      `
import json, sys
if sys.argv[2] == "polars":
    import polars
    rows = polars.read_parquet(sys.argv[1]).to_dicts()
else:
    import pyarrow.parquet
    rows = pyarrow.parquet.read_table(sys.argv[1]).to_pylist()
print("ANSWER" + json.dumps([[row["run"], row["metric"], float(row["step"]), repr(row["value"])] for row in rows]))
`,
      file,
      reader,
    ) as [string, string, number, string][];
    const read = Map.groupBy(rows, ([run, metric]) => `${run} ${metric}`);
    const wanted = seriesOf(expected);
    expect([...read.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [name, { steps, values }] of wanted) {
      const points = read.get(name)!;
      expect(
        points.map(([, , step]) => step),
        name,
      ).toEqual(steps);
      const found = numbers(points.map(([, , , value]) => value));
      expect(
        found.every((value, i) => Object.is(value, values[i])),
        name,
      ).toBe(true);
    }
  });
});
