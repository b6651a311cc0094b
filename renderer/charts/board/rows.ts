/** How the charts of a section stand in rows: as evenly as can be, each row filled, so that no place stays empty. */

export interface Rows {
  /** Equal parts that the width is cut into. */
  readonly parts: number;
  /** How many of them each chart takes, in order. */
  readonly spans: readonly number[];
}

/** Charts in each row: of four where three fit, two and two. */
function evenly(count: number, columns: number): number[] {
  const rows = Math.ceil(count / columns);
  return Array.from({ length: rows }, (_, i) => Math.floor(count / rows) + Number(i < count % rows));
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/**
 * @param large which charts have a row for themselves
 * @param columns that fit side by side
 */
export function rowsOf(large: readonly boolean[], columns: number): Rows {
  const rows: number[] = [];
  let before = 0;
  for (const [i, alone] of [...large, true].entries()) {
    if (!alone) continue;
    if (i > before) rows.push(...evenly(i - before, columns));
    if (i < large.length) rows.push(1);
    before = i + 1;
  }
  const parts = rows.reduce((all, row) => (all * row) / divisor(all, row), 1);
  return { parts, spans: rows.flatMap((row) => Array.from({ length: row }, () => parts / row)) };
}
