/** Imports into a store as the command line does, and what comes of it. */
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { importFamily } from '../../../main/lab/imports/index.ts';
import { writeImport } from '../../../main/lab/outside/importing.ts';
import { planImport, previewOf } from '../../../main/lab/outside/importPlan.ts';
import type { PlanOptions } from '../../../main/lab/outside/importPlan.ts';
import { ImportReading } from '../../../main/lab/imports/reading.ts';
import type { ReadingOptions } from '../../../main/lab/imports/reading.ts';
import type { Store } from '../../../main/store/index.ts';
import type { ImportPreview, ImportResult } from '../../../preload/contract/imports.ts';

export interface Imported {
  readonly preview: ImportPreview;
  readonly result: ImportResult;
}

export async function importInto(
  store: Store,
  paths: readonly string[],
  options: Partial<ReadingOptions> & PlanOptions = {},
): Promise<Imported> {
  const places = paths.map((path) => ({ path }));
  await using reading = await ImportReading.open(places, { kinds: importFamily.kinds, ...options });
  const plan = planImport(store, await reading.survey(), options);
  const preview = previewOf(store, plan);
  return { preview, result: await writeImport(store, plan, reading.parcels(), options) };
}

/** Points of a run by metric, as pairs. */
export const pointsOf = (store: Store, runId: string): Record<string, [number, number][]> =>
  Object.fromEntries(
    store.metricNames(runId).map((metric) => {
      const { step, value } = store.readAll(runId, metric);
      return [metric, Array.from(step, (each, i): [number, number] => [each, value[i]!])];
    }),
  );

/** A folder of files that is gone at the end. */
export class Files implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sweeplab-import-'));

  /** @returns its path */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
