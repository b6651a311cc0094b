/** Hash of the names and texts of a folder's native sources; undefined where there are none, as in a packaged app. */
export function hashOfSources(folder: string): string | undefined;
