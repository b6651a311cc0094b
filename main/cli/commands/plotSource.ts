/** The runs of a figure: of the run database, or of files of any kind that can be imported. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunRecord, SweepRecord } from '../../../preload/contract/runs.ts';
import { temporaryName } from '../../files/atomic.ts';
import { noteTemporary } from '../../files/leftovers.ts';
import { importFamily } from '../../lab/imports/index.ts';
import { ImportReading } from '../../lab/imports/reading.ts';
import { planImport } from '../../lab/outside/importPlan.ts';
import { writeImport } from '../../lab/outside/importing.ts';
import { openStore } from '../../store/index.ts';
import type { Store } from '../../store/index.ts';
import { findSweepOrLatest, resolveRuns, runFilter } from './find.ts';
import type { FilterOptions } from './find.ts';
import { existingLab } from '../context.ts';
import type { Context } from '../context.ts';

export interface PlotSource extends AsyncDisposable {
  readonly store: Store;
  readonly runs: readonly RunRecord[];
  /** That all runs are of. */
  readonly sweep?: SweepRecord;
}

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/** @throws InputError for names that nothing has */
export async function plotSource(
  context: Context,
  names: readonly string[],
  options: FilterOptions,
): Promise<PlotSource> {
  const files = await Promise.all(names.map(isThere));
  if (names.length > 0 && files.every(Boolean)) return await ofFiles(context, names, options);
  const lab = await existingLab(context);
  const { store } = lab;
  const close = (): Promise<void> => Promise.resolve(lab.close());
  try {
    const runs = chosen(context, store, names, options);
    return { store, runs, ...sweepOf(store, runs), [Symbol.asyncDispose]: close };
  } catch (error) {
    lab.close();
    throw error;
  }
}

function chosen(
  { workshop }: Context,
  store: Store,
  names: readonly string[],
  options: FilterOptions,
): readonly RunRecord[] {
  const [name, ...others] = names;
  if (name === undefined) return store.listRuns(runFilter(store, workshop, options));
  if (others.length === 0 && isSweep(store, name))
    return store.listRuns(runFilter(store, workshop, { ...options, sweep: name }));
  const named = resolveRuns(store, names);
  const wanted = new Set(store.listRuns(runFilter(store, workshop, options)).map(({ id }) => id));
  return named.filter(({ id }) => wanted.has(id));
}

/** A run of that name comes first; a sweep needs no more than its beginning. */
function isSweep(store: Store, name: string): boolean {
  try {
    findSweepOrLatest(store, name);
    return true;
  } catch {
    return false;
  }
}

function sweepOf(store: Store, runs: readonly RunRecord[]): { readonly sweep?: SweepRecord } {
  const [id, ...others] = new Set(runs.map(({ sweepId }) => sweepId));
  const sweep = id == null || others.length > 0 ? undefined : store.getSweep(id);
  return sweep === undefined ? {} : { sweep };
}

/** Files are imported into a database of their own, which is gone afterwards. */
async function ofFiles(context: Context, paths: readonly string[], options: FilterOptions): Promise<PlotSource> {
  const folder = temporaryName(join(tmpdir(), 'sweeplab-plot'));
  const forget = await noteTemporary(context.workshop.paths.exports, folder);
  let store: Store | undefined;
  const close = async (): Promise<void> => {
    store?.close();
    await rm(folder, { recursive: true, force: true });
    await forget();
  };
  try {
    await mkdir(folder, { mode: 0o700 });
    store = openStore(join(folder, 'runs.sqlite'));
    await using reading = await ImportReading.open(
      paths.map((path) => ({ path })),
      { kinds: context.workshop.registry.catalog.all(importFamily) },
    );
    await writeImport(store, planImport(store, await reading.survey()), reading.parcels());
    const runs = store.listRuns(runFilter(store, context.workshop, options));
    return { store, runs, ...sweepOf(store, runs), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
