/**
 * How much text the files hold that settings name. Planning is a calculation; files are looked at before it, by whoever may wait:
 *
 *     await measureTexts(configs);            // asks the file system, reads what may be a copy
 *     const size = textIn(config, 'data.corpus');
 */
import type { Config } from '../../../preload/contract/settings.ts';
import { filesNamed } from '../../engine/data/index.ts';
import { compareFiles } from './sharedFiles.ts';
import type { TextFile } from './sharedFiles.ts';

export interface TextSize {
  /** Of the text, as far as sizes of files tell: packed ones count for what they usually hold. */
  readonly bytes: number;
  readonly files: readonly TextFile[];
}

const SETTINGS = ['data.corpus', 'data.validation_path'] as const;
type TextSetting = (typeof SETTINGS)[number];

/** Text packs to about a third; columns of a Parquet file are packed too. */
const PACKED = /\.(gz|zst|xz|bz2|zip|parquet)$/iu;
const UNPACKED = 3;

/** Milliseconds for which an answer holds: a form asks at every keystroke. */
const FRESH = 5000;
const MOST = 200;
/** Null: no such file. */
const known = new Map<string, { readonly size: TextSize | null; readonly at: number }>();

/** Looks at the files of these configurations. What is wrong with them is told when they are read. */
export async function measureTexts(configs: readonly Config[]): Promise<void> {
  const named = new Set(configs.flatMap((config) => SETTINGS.map((setting) => String(config[setting] ?? ''))));
  const now = Date.now();
  for (const path of [...named].slice(0, MOST)) {
    if (path === '' || now - (known.get(path)?.at ?? -Infinity) < FRESH) continue;
    const files = await filesNamed(path).catch(() => null);
    const size =
      files === null
        ? null
        : {
            bytes: files.reduce((sum, file) => sum + file.size * (PACKED.test(file.path) ? UNPACKED : 1), 0),
            files,
          };
    if (known.size >= MOST) known.delete(known.keys().next().value!);
    known.delete(path);
    known.set(path, { size, at: now });
  }
  for (const config of configs) {
    const [train, validation] = SETTINGS.map((setting) => textIn(config, setting));
    if (train !== undefined && validation !== undefined) await compareFiles(train.files, validation.files);
  }
}

/** What the last look found; undefined for what is no file, and where nobody has looked. */
export function textIn(config: Config, setting: TextSetting): TextSize | undefined {
  return known.get(String(config[setting] ?? ''))?.size ?? undefined;
}
