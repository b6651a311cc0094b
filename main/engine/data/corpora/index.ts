/** The corpora, in the order in which they are offered, and the one that a configuration names. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { BUILT_IN, isNamed, kindFor } from '../../kind.ts';
import type { Family, Kinds } from '../../kind.ts';
import { DataError } from '../errors.ts';
import type { CorpusKind, CorpusSource, SourceOptions } from './corpusKind.ts';
import { files, filesAt } from './files.ts';
import { finewebEdu } from './finewebEdu.ts';
import { hackerNews } from './hackerNews.ts';
import { huggingface } from './huggingface.ts';
import { dataRules } from './shared.rules.ts';
import { dataSettings } from './shared.settings.ts';
import { stories } from './stories.ts';
import { tinyshakespeare } from './tinyshakespeare.ts';
import { url } from './url.ts';
import { wikitext103, wikitext2 } from './wikitext.ts';

export const corpusFamily: Family<CorpusKind> = {
  name: 'corpus',
  setting: 'data.corpus',
  shared: dataSettings,
  rules: dataRules,
  kinds: [stories, tinyshakespeare, wikitext2, wikitext103, hackerNews, finewebEdu, huggingface, url, files],
  otherwise: files,
};

/** The corpus that a configuration names, `stories` where it names none, and the settings as that one may see them. */
export function corpusOf(config: Config, kinds: Kinds = BUILT_IN): { kind: CorpusKind; settings: Config } {
  const kind = kindFor(corpusFamily, kinds.all(corpusFamily), config['data.corpus'] ?? stories.name)!;
  return { kind, settings: kinds.view(kind, config) };
}

/** The text that a configuration names (`setting`: data.corpus, or data.validation_path). Reads nothing yet. @throws DataError */
export async function corpusSource(
  config: Config,
  setting: 'data.corpus' | 'data.validation_path',
  options: SourceOptions,
  kinds: Kinds = BUILT_IN,
): Promise<CorpusSource> {
  const corpus = String(config[setting] ?? stories.name);
  const { kind, settings } = corpusOf(config, kinds);
  if (setting === 'data.corpus' && kind !== files) return await kind.open(settings, options);
  const source = await filesAt(config, setting, options);
  if (source !== null) return source;
  const missing = 'there is no corpus, file or folder of that name.';
  if (setting !== 'data.corpus') throw new DataError(setting, corpus, missing, 'an existing file, folder or glob');
  const names = kinds
    .all(corpusFamily)
    .filter((each) => isNamed(corpusFamily, each))
    .map(({ name }) => name);
  const { looksLikePath } = await import('../reading/listing.ts');
  const allowed = `${names.join(', ')}, hf:owner/name, https://…, or an existing file, folder or glob`;
  throw new DataError(
    setting,
    corpus,
    missing,
    allowed,
    looksLikePath(corpus) ? undefined : nearestName(corpus, names),
  );
}
