/** Files that someone chose in a dialog: the lab may write each once for a page, and a page may have each shown. */
export class ExportGuard {
  readonly #chosen = new Set<string>();
  readonly #saved = new Set<string>();

  /** `once`: it may be written by one export. Otherwise it was written already. */
  allow(path: string, once: boolean): void {
    if (once) this.#chosen.add(path);
    this.#saved.add(path);
  }

  mayShow(path: unknown): path is string {
    return typeof path === 'string' && this.#saved.has(path);
  }

  /** Why a page's message may not pass, or undefined. */
  refuse(message: unknown): string | undefined {
    if (typeof message !== 'object' || message === null) return undefined;
    const { kind, input } = message as { kind?: unknown; input?: unknown };
    if (kind !== 'request' || typeof input !== 'object' || input === null) return undefined;
    const { path } = input as { path?: unknown };
    if (path === undefined || path === null) return undefined;
    if (typeof path === 'string' && this.#chosen.delete(path)) return undefined;
    return 'Choose where to save the file first.';
  }
}
