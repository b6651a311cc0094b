import type { Migration } from '../migrate.ts';

/** Names of metrics that were one for each class of tokens: what they are now, and the last position or rank of the class. */
const CLASSES: (readonly [old: string, metric: string, place: number])[] = [];
for (let last = 1; last <= 2 ** 22; last *= 2)
  CLASSES.push([`loss_by_position/${last > 2 ? `${last / 2 + 1}-` : ''}${last}`, 'loss_by_position', last]);
for (const [words, place] of [
  ['1-10', 10],
  ['11-100', 100],
  ['101-1000', 1000],
  ['1001-10000', 10_000],
  ['10001-100000', 100_000],
  ['100001-', 1_000_000],
  ['unseen', 0],
] as const)
  CLASSES.push([`loss_by_frequency/${words}`, 'loss_by_frequency', place]);

const rows = CLASSES.map(([old, metric, place]) => `('${old}', '${metric}', ${place})`).join(', ');
const CLASS_TABLE = `classes (old, metric, place) AS (VALUES ${rows})`;

/** In lists of runs stands the largest of all places. */
const summaryOf = (name: string): string => `
    WITH ${CLASS_TABLE}, largest AS (
      SELECT runs.key AS run, max(atom) AS value FROM runs, json_each(summary) AS each JOIN classes ON old = each.key
        WHERE metric = '${name}' GROUP BY runs.key
    )
      UPDATE runs SET summary = json_remove(json_set(summary, '$.${name}', value), ${pathsOf(name)}) FROM largest WHERE run = key;`;
const pathsOf = (name: string): string =>
  CLASSES.flatMap(([old, metric]) => (metric === name ? [`'$."${old}"'`] : [])).join(', ');

/** Classes of tokens are places, as layers are; and places may have seven digits. */
export const classes: Migration = {
  version: 8,
  name: 'classes',
  sql: `
    WITH ${CLASS_TABLE}
      UPDATE series SET metric = classes.metric, layer = classes.place FROM classes WHERE series.metric = classes.old;

    ${summaryOf('loss_by_position')}
    ${summaryOf('loss_by_frequency')}

    -- Names that look like an address of six or seven digits are one from now on: name[131072].
    WITH
      cut AS (SELECT key, metric AS address, rtrim(rtrim(metric, ']'), '0123456789,') AS stem FROM series WHERE layer < 0),
      numbered AS (SELECT *, substr(address, length(stem) + 1, length(address) - length(stem) - 1) AS inside FROM cut),
      parts AS (
        SELECT *,
          CASE instr(inside, ',') WHEN 0 THEN inside ELSE substr(inside, 1, instr(inside, ',') - 1) END AS a,
          CASE instr(inside, ',') WHEN 0 THEN NULL ELSE substr(inside, instr(inside, ',') + 1) END AS b
        FROM numbered
      ),
      found AS (
        SELECT * FROM parts
        WHERE stem LIKE '_%[' AND length(a) <= 7 AND coalesce(length(b), 0) <= 7 AND address = stem || CAST(a AS INTEGER)
          || CASE WHEN b IS NULL THEN '' ELSE ',' || CAST(b AS INTEGER) END || ']'
      )
      UPDATE series SET metric = substr(found.stem, 1, length(found.stem) - 1), layer = CAST(found.a AS INTEGER),
        head = CASE WHEN found.b IS NULL THEN -1 ELSE CAST(found.b AS INTEGER) END
      FROM found WHERE found.key = series.key;
  `,
};
