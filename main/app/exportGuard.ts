/** A page may have a file written only where someone chose to save it in a dialog: each choice counts for one export. */
export class ExportGuard {
  readonly #chosen = new Set<string>();

  allow(path: string): void {
    this.#chosen.add(path);
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
