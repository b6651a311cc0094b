/** The font of the page within an SVG: elsewhere nothing has its name, and texts of other widths would lie over each other. */

import { withStyle } from '../../../preload/charts/draw/figure.ts';

const FAMILY = 'Inter Variable';
/** What the file of the page's fonts that holds Latin letters begins with. */
const LATIN = /^U\+0+-0*FF\b/iu;

export async function withFont(svg: Blob): Promise<Blob> {
  const rule = await fontRule();
  return rule === undefined ? svg : new Blob([withStyle(await svg.text(), rule)], { type: svg.type });
}

/** The rule of the page with its file in it; undefined where there is none. */
async function fontRule(): Promise<string | undefined> {
  for (const sheet of document.styleSheets)
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSFontFaceRule)) continue;
      const given = (name: string): string => rule.style.getPropertyValue(name);
      const [, file] = /url\("?([^")]+)/u.exec(given('src')) ?? [];
      if (file === undefined || !given('font-family').includes(FAMILY) || !LATIN.test(given('unicode-range'))) continue;
      const answer = await fetch(new URL(file, sheet.href ?? location.href));
      const weight = given('font-weight');
      return `@font-face{font-family:'${FAMILY}';font-weight:${weight};src:url(${await dataUrl(await answer.blob())}) format('woff2')}`;
    }
  return undefined;
}

function dataUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => resolve(reader.result as string));
    reader.addEventListener('error', () => reject(reader.error!));
    reader.readAsDataURL(file);
  });
}
