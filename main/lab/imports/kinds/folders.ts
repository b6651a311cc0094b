/** Folders that are told by a file in them. */

/** Finds the nearest folder above a path that holds a file of that name. '' is the folder that was named; undefined: there is none. */
export function foldersWith(name: RegExp): (path: string, paths: ReadonlySet<string>) => string | undefined {
  const known = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();
  return (path, paths) => {
    let folders = known.get(paths);
    if (folders === undefined) {
      folders = new Set([...paths].filter((each) => name.test(each)).map(folderOf));
      known.set(paths, folders);
    }
    if (folders.size === 0) return undefined;
    for (let folder = folderOf(path); ; folder = folderOf(folder)) {
      if (folders.has(folder)) return folder;
      if (folder === '') return undefined;
    }
  };
}

/** The folder of a path, '' where it has none. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
