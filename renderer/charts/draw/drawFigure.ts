/** Figures as files: this part needs a browser. */
import { layoutFigure, svgOfFigure } from '../../../preload/charts/draw/figure.ts';
import type { Figure } from '../../../preload/charts/draw/figure.ts';
import { SCREEN } from '../../../preload/charts/draw/pictureSize.ts';

/** Width of a text of 12 px. */
export function textMeasure(font: string): (text: string) => number {
  const ctx = document.createElement('canvas').getContext('2d')!;
  ctx.font = `12px ${font}`;
  return (text) => ctx.measureText(text).width;
}

export async function drawFigure(figure: Figure, kind: 'png' | 'svg', scale = SCREEN.scale): Promise<Blob> {
  const { theme, parts } = figure;
  const canvas = document.createElement('canvas');
  const ctx = canvas.getContext('2d')!;
  const layout = layoutFigure(figure, textMeasure(theme.font));
  if (kind === 'svg') {
    const panels = await Promise.all(parts.map(({ picture }) => picture.text()));
    return new Blob([svgOfFigure(layout, panels, theme)], { type: 'image/svg+xml' });
  }
  canvas.width = Math.round(layout.width * scale);
  canvas.height = Math.round(layout.height * scale);
  ctx.scale(scale, scale);
  ctx.fillStyle = theme.surface;
  ctx.fillRect(0, 0, layout.width, layout.height);
  for (const [i, { picture, width, height }] of parts.entries()) {
    const image = await createImageBitmap(picture);
    ctx.drawImage(image, layout.places[i].x, layout.places[i].y, width, height);
    image.close();
  }
  for (const { x, y, width, color } of layout.swatches) {
    ctx.fillStyle = color;
    ctx.beginPath();
    ctx.roundRect(x, y, width, 10, 2);
    ctx.fill();
  }
  for (const { x, y, text, size, weight, color } of layout.texts) {
    ctx.font = `${weight} ${size}px ${theme.font}`;
    ctx.fillStyle = color;
    ctx.fillText(text, x, y);
  }
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('The picture is too large.')) : resolve(blob)),
      'image/png',
    ),
  );
}
