/** What stands beside the data in a folder or archive and is no data: cards, licences, the notes of tools. */

/** Endings of tables: a table is data, whatever it is called. */
const TABLE = /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.\w+)?$/i;

/** Names of descriptions, which are texts. */
const TEXTS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^readme([._-].*)?$/i, 'descriptions (README)'],
  [/^(licen[cs]e|copying|notice|copyright|authors|contributors)([._-].*)?$/i, 'licences and notices'],
  [/^(changelog|contributing|citation|code_of_conduct)(\.(md|txt|rst|cff|bib))?$/i, 'licences and notices'],
];

const NAMES: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^(__MACOSX|\.git|\.cache|\.ipynb_checkpoints)$/, 'files of other programs'],
  [/^\._/, 'files of macOS beside the real ones (._…)'],
  [/^\./, 'hidden files'],
  [/^~\$|~$|^#.*#$/, 'backups of editors'],
  [/^(thumbs\.db|desktop\.ini|icon\r)$/i, 'files of other programs'],
  [/^(dataset_infos?|dataset_dict|state|croissant|datapackage|dataset-metadata)\.json$/i, 'notes of dataset tools'],
  [/^(requirements|constraints)([._-].*)?\.txt$/i, 'notes of other programs'],
  [/^(package|package-lock|tsconfig|composer)\.json$/i, 'notes of other programs'],
  [/\.lock$/i, 'locks'],
  [/\.(md5|sha1|sha224|sha256|sha512|crc|sfv|asc|sig)$/i, 'checksums and signatures'],
  [/^((md5|sha1|sha224|sha256|sha512)sums?|checksums?)([._-].*)?$|^manifest\.json$/i, 'checksums'],
  [/\.(part|partial|tmp|temp|crdownload|download|incomplete)$/i, 'files that are not complete yet'],
  [/\.(receipt|metadata)\.json$|\.metadata$/i, 'notes of downloads'],
  [/^_(success|started|committed.*|metadata|common_metadata)$/i, 'notes of Spark'],
];

/** Why a file or folder of that name is no data; null when it may be. */
export function furniture(name: string): string | null {
  for (const [pattern, what] of NAMES) if (pattern.test(name)) return what;
  if (!TABLE.test(name)) for (const [pattern, what] of TEXTS) if (pattern.test(name)) return what;
  return null;
}

/** The same for a path inside a folder or archive: any part of it counts. */
export function furnitureOnPath(path: string): string | null {
  for (const part of path.split('/')) {
    const what = furniture(part);
    if (what !== null) return what;
  }
  return null;
}
