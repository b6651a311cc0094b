/** What every command gets: where to print, the settings with plug-ins, the lab. */
import type { Lab, Workshop } from '../host/lab.ts';
import type { LabPaths } from '../host/paths.ts';
import { openStore, StoreError } from '../store/index.ts';
import type { Store } from '../store/index.ts';
import { InputError } from './errors.ts';
import type { Output } from './output.ts';

/** What there is before any setting is known: the settings bring the whole engine with them, which takes most of a second to load. */
export interface Start {
  readonly output: Output;
  readonly paths: LabPaths;
  /** Everything else; made once. */
  context(): Promise<Context>;
}

export interface Context {
  readonly output: Output;
  /** Settings, plug-ins and paths; `doctor` reports a broken plug-in instead of ending by it. */
  readonly workshop: Workshop;
  /** Why a plug-in could not be loaded; then `workshop` has the built-in settings alone. */
  readonly pluginError: Error | undefined;
  /** Sets the exit code of the process. */
  exit(code: number): void;
}

/** @throws the error of a broken plug-in: without it the user's settings would be unknown */
export function requirePlugins({ pluginError }: Context): void {
  if (pluginError !== undefined) throw pluginError;
}

/** For commands that go on without a broken plug-in: what came out can be looked at all the same. */
export function tellPlugins({ output, pluginError }: Context): void {
  if (pluginError !== undefined)
    output.warn(`${pluginError.message}. All plug-ins are left out, with their settings, formats and corpora.`);
}

/** The lab to change things in. The caller closes it. */
export async function writableLab(context: Context): Promise<Lab> {
  requirePlugins(context);
  const lab = await open(context, true);
  if (lab.store.backup !== null)
    context.output.note(`The run database was updated; a copy of the old one is ${lab.store.backup}`);
  return lab;
}

async function open({ workshop }: Context, write: boolean): Promise<Lab> {
  const { openLab } = await import('../host/lab.ts');
  return await openLab(workshop, { write });
}

/** The lab to look at; undefined when there is no database yet. */
export async function readableLab(context: Context): Promise<Lab | undefined> {
  try {
    return await open(context, false);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'missing') return undefined;
    // An older database is brought up to date by whoever may write.
    if (error.code === 'older') return await open(context, true);
    throw error;
  }
}

/** The run database alone, for what needs no setting: configurations of earlier versions are not completed. Undefined when there is none yet. */
export async function readableStore({ paths, context }: Start): Promise<Store | undefined> {
  try {
    return openStore(paths.database, { readOnly: true });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'missing') return undefined;
    if (error.code === 'older') return (await readableLab(await context()))?.store;
    throw error;
  }
}

/** As `readableLab`, for commands that need something to be there. */
export async function existingLab(context: Context): Promise<Lab> {
  const lab = await readableLab(context);
  if (lab !== undefined) return lab;
  const { database } = context.workshop.paths;
  throw new InputError(`there are no runs yet: ${database} does not exist. Start with: sweeplab start`);
}

/** For commands that change what is there: they never create a database. @throws InputError when there is none */
export async function requireDatabase(context: Context): Promise<void> {
  (await existingLab(context)).close();
}
