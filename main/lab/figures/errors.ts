/** A figure that cannot be drawn as asked. */
export class FigureError extends Error {
  override readonly name = 'FigureError';
}
