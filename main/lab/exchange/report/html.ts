/** HTML from texts of anywhere: escaped, with what is hidden in them shown. */
import { shownText } from '../../../../preload/shared/plainText.ts';

export const escaped = (text: string): string =>
  shownText(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export interface Cell {
  readonly text: string;
  readonly number?: boolean;
  readonly tone?: 'best' | 'worse' | 'bad' | 'muted';
}

export interface TableColumn {
  readonly title: string;
  readonly number?: boolean;
}

export function table(columns: readonly TableColumn[], rows: readonly (readonly Cell[])[]): string {
  const head = columns.map(
    ({ title, number }) => `<th scope="col"${number ? ' class="n"' : ''}>${escaped(title)}</th>`,
  );
  const body = rows.map((cells) => {
    const tds = cells.map(({ text, tone }, i) => {
      const classes = [columns[i].number ? 'n' : '', tone ?? ''].filter(Boolean).join(' ');
      return `<td${classes === '' ? '' : ` class="${classes}"`}>${escaped(text)}</td>`;
    });
    return `<tr>${tds.join('')}</tr>`;
  });
  return `<div class="wide"><table><thead><tr>${head.join('')}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>\n`;
}

export const section = (title: string, id: string, body: string): string =>
  `<section id="${id}"><h2>${escaped(title)}</h2>\n${body}</section>\n`;

export const paragraphs = (texts: readonly string[]): string =>
  texts
    .filter(Boolean)
    .map((text) => `<p class="note">${escaped(text)}</p>\n`)
    .join('');
