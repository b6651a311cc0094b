import { DataError } from '../errors.ts';
import type { Download } from '../downloads/fetch.ts';
import { defineCorpus, limitOf } from './corpusKind.ts';
import { downloadSource } from './download.ts';

const ALLOWED = 'an address such as https://example.org/text.jsonl.gz, without a name and password in it';

/** What is fetched, without the part that no server sees. @throws DataError */
function addressOf(corpus: string): string {
  const address = URL.parse(corpus);
  if (address === null || address.hostname === '')
    throw new DataError('data.corpus', corpus, 'not an address.', ALLOWED);
  if (address.username !== '' || address.password !== '')
    throw new DataError(
      'data.corpus',
      corpus,
      'the settings of a run are kept and shown: no place for a password.',
      ALLOWED,
    );
  address.hash = '';
  return address.href;
}

/** Whether this is an encrypted address out in the world: no machine or service of a network of one's own. */
export function namesPublicAddress(corpus: string): boolean {
  // `https:a.txt` is an address to browsers, and a path here.
  const address = /^https:\/\//iu.test(corpus) ? URL.parse(corpus) : null;
  if (address === null || address.username !== '' || address.password !== '') return false;
  const labels = address.hostname.split('.');
  const last = labels.at(-1)!;
  return labels.length > 1 && /^[a-z][a-z0-9-]*$/u.test(last) && !OWN_NETWORK.has(last);
}

/** Ends of names that are given within a network. */
const OWN_NETWORK: ReadonlySet<string> = new Set([
  'local',
  'localhost',
  'localdomain',
  'internal',
  'lan',
  'home',
  'corp',
  'intranet',
]);

export const url = defineCorpus({
  name: 'url',
  shown: 'https://…',
  help: 'one file at an address: text, JSONL, JSON, CSV, TSV or Parquet, compressed or not (data.format, data.column)',
  matches: (value) => /^https?:\/\//iu.test(value),
  download: true,
  bytes: limitOf,
  open(c, options) {
    const address = addressOf(String(c['data.corpus']));
    const wanted: Download = {
      id: address,
      column: String(c['data.column'] ?? 'text') || 'text',
      from: { kind: 'url', url: address },
    };
    return downloadSource(wanted, c, options);
  },
});
