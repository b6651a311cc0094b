/** An import that cannot be made as asked, in words for the user; nothing was written. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}
