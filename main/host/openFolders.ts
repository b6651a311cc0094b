/**
 * Which files a page may have read. A page is not the person at the machine: it may be one of several browsers, or have been tricked. So a
 * page reads only what that person has opened, and this is the one place that decides it, before any call is worked on:
 *
 * - the data folder, but not the keys in it;
 * - folders (or files) named when the lab was started (`--allow`);
 * - what was allowed in the native dialog of the desktop app, which asks when it is first needed;
 * - the texts of runs that were launched before, which went through here or were named on a command line.
 *
 * Links are followed before it is decided, here for what was named and by the reader (`engine/data/reading/confine.ts`) for what lies in
 * it. Devices, pipes, sockets and /proc are never read, whoever opened them. Pages write nothing but through the dialog of the desktop app
 * and the downloads of the browser.
 */
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { LabError } from '../../preload/contract/rpc.ts';
import type { Config, SettingSpec } from '../../preload/contract/settings.ts';
import { namesDataset, namesPublicAddress } from '../engine/data/index.ts';
import { globOf } from '../files/glob.ts';
import { mixParts } from '../../preload/shared/mix.ts';
import { isWithin } from '../files/within.ts';
import { isOwnRecipe } from '../lab/settings/index.ts';
import type { Reach } from '../lab/datasets/datasets.ts';
import type { LabPaths } from './paths.ts';

export interface OpenFoldersOptions {
  readonly paths: LabPaths;
  /** All settings: those that name files say so. */
  readonly specs: readonly SettingSpec[];
  /** What was opened on the command line. */
  readonly allowed?: readonly string[];
  /** Whether a run of this lab was launched with this value of a setting. */
  readonly isKnown: (setting: string, value: string) => boolean;
  /** Asks the person at the machine; without it nobody can be asked. */
  readonly ask?: (path: string) => Promise<boolean>;
}

/** Nothing in them is a text: devices never end, processes change while they are read. */
const SYSTEM = process.platform === 'win32' ? [] : ['/dev', '/proc', '/sys'];

/** What a call may name: settings as values, a recipe, a draft with both. */
interface Naming {
  readonly values?: Readonly<Record<string, unknown>>;
  readonly recipe?: string | null;
  /** Files of an import. */
  readonly paths?: readonly string[];
  readonly draft?: {
    readonly recipe: string | null;
    readonly settings: Readonly<Record<string, unknown>>;
    readonly parameters: Readonly<Record<string, { readonly value?: unknown; readonly values?: readonly unknown[] }>>;
  };
}

const CORPUS = 'data.corpus';
const MIX = 'data.mix';

/** The values that a value means: the texts of a mixture are what data.corpus may be. */
const meantBy = (setting: string, value: string): readonly (readonly [setting: string, value: string])[] =>
  setting === MIX ? mixParts(value).map(({ corpus }) => [CORPUS, corpus]) : [[setting, value]];

/** Texts that the lab makes or downloads by itself: the corpora that have a name. Everything else is looked for on the disk. */
function namesIn(specs: readonly SettingSpec[]): ReadonlySet<string> {
  const type = specs.find(({ name }) => name === CORPUS)?.type;
  return new Set(type?.kind === 'string' ? (type.suggestions ?? []) : []);
}

/** The part of a path before the first character of a glob: the same whatever is there, as refusals name it. */
const fixedPart = (path: string): string => globOf(path, () => false).fixed;

/** Where a path leads, links followed as far as there is anything. */
function target(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(target(above), relative(above, path));
  }
}

export class OpenFolders {
  readonly #options: OpenFoldersOptions;
  readonly #reading: readonly string[];
  readonly #names: ReadonlySet<string>;
  readonly #closed: ReadonlySet<string>;
  readonly #open: string[];
  /** What was not allowed, so that nobody is asked again and again. */
  readonly #refused = new Set<string>();
  #asking: Promise<unknown> = Promise.resolve();

  constructor(options: OpenFoldersOptions) {
    this.#options = options;
    const { paths, specs, allowed = [] } = options;
    this.#names = namesIn(specs);
    this.#reading = specs.filter(({ reads }) => reads === true).map(({ name }) => name);
    this.#open = [paths.home, ...allowed].map((path) => target(resolve(path)));
    this.#closed = new Set([paths.browsers, paths.serving, paths.wandb].map((path) => target(path)));
  }

  /** Only one setting takes names: for all others the same words are a path from where the lab was started. */
  #isName(setting: string, value: string): boolean {
    if (value === '') return true;
    return setting === CORPUS && (this.#names.has(value) || namesDataset(value) || namesPublicAddress(value));
  }

  /** Whatever a call names must be open. @throws LabError `denied`, the same whether there is such a file or not */
  async assert({ values = {}, recipe, paths = [], draft }: Naming): Promise<void> {
    for (const path of [recipe, draft?.recipe]) if (isOwnRecipe(path ?? null)) await this.#assertOpen('recipe', path!);
    for (const path of paths) await this.#assertOpen('import', path);
    for (const setting of this.#reading) {
      const parameter = draft?.parameters[setting];
      const named = [values[setting], draft?.settings[setting], parameter?.value, ...(parameter?.values ?? [])];
      for (const value of new Set(named))
        if (typeof value === 'string')
          for (const [meant, path] of meantBy(setting, value))
            if (!this.#isName(meant, path)) await this.#assertOpen(setting, path);
    }
  }

  /** What the reader may follow links to. */
  get reach(): Reach {
    return { within: [...this.#open], without: [...this.#closed] };
  }

  /** What the reader may follow links to for a configuration; undefined for texts that runs have used as they are. */
  reachFor(config: Config): Reach | undefined {
    const named = this.#reading.flatMap((name) => meantBy(name, String(config[name] ?? '')));
    const files = named.filter(([name, value]) => !this.#isName(name, value));
    if (files.every(([name, value]) => !this.#isOpen(value) && this.#isKnown(name, value)) && files.length > 0)
      return undefined;
    return this.reach;
  }

  #isOpen(path: string): boolean {
    // As the reader takes it: a folder whose name has characters of a glob is that folder.
    const place = target(resolve(globOf(path).fixed));
    return !this.#closed.has(place) && this.#open.some((folder) => isWithin(folder, place));
  }

  /** A relative path means something else with every start. */
  #isKnown(setting: string, value: string): boolean {
    return isAbsolute(value) && this.#options.isKnown(setting, value);
  }

  async #assertOpen(setting: string, path: string): Promise<void> {
    const never = this.#never(path);
    if (never === undefined) {
      if (this.#isOpen(path) || this.#isKnown(setting, path)) return;
      if (await this.#asked(resolve(fixedPart(path)))) return;
    }
    const why = never ?? this.#howToOpen(resolve(fixedPart(path)));
    throw new LabError('denied', `${setting} is ${JSON.stringify(path)}, which pages may not read. ${why}`);
  }

  /** Why a path is not read whoever asks, as far as its name alone tells; undefined when it could be opened. */
  #never(path: string): string | undefined {
    if (/^~(?:$|[/\\])/u.test(path))
      return `A shell makes a folder of ~, pages do not: write the whole path, such as ${join(homedir(), path.slice(1))}`;
    const place = target(resolve(fixedPart(path)));
    if (this.#closed.has(place)) return 'It holds keys of Sweeplab: it is never read, whatever was opened.';
    if (SYSTEM.some((folder) => isWithin(folder, place)))
      return 'It is part of the system (devices, processes): it is never read, whatever was opened.';
    return undefined;
  }

  /** What opens a place; the same whether there is something or not. A link inside of an open folder is no secret. */
  #howToOpen(place: string): string {
    if (this.#options.ask !== undefined) return 'It was not allowed; start Sweeplab again to be asked again.';
    const leadsOut = this.#open.some((folder) => isWithin(folder, place));
    const what = leadsOut
      ? `It is a link to ${target(place)}, out of what was opened. To open that,`
      : 'Links are followed: the folder that it really lies in has to be opened. To open it,';
    const folder = leadsOut ? dirname(target(place)) : dirname(place);
    return `${what} end Sweeplab and start it with: sweeplab serve --allow ${JSON.stringify(folder)}`;
  }

  /** One question at a time. */
  async #asked(place: string): Promise<boolean> {
    const { ask } = this.#options;
    if (ask === undefined) return false;
    const turn = this.#asking.then(async () => {
      if (this.#isOpen(place)) return true;
      if (this.#refused.has(place) || !(await ask(place))) {
        this.#refused.add(place);
        return false;
      }
      this.#open.push(target(place));
      return true;
    });
    this.#asking = turn.catch(() => undefined);
    return await turn;
  }
}
