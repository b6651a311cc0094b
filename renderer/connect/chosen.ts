/** Files that somebody chooses, drops or pastes, folders with all that is in them. */

export interface ChosenFile {
  /** From the folder that was chosen, with its name; of a file its name. */
  readonly path: string;
  readonly content: Blob;
}

/** More are no choice any more. */
const MOST_FILES = 200_000;

export const chosenIn = (files: FileList | null): ChosenFile[] =>
  [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, content: file }));

/** What was dropped. The list is only there while the event is: everything is taken out of it at once. */
export async function droppedIn({ items, files }: DataTransfer): Promise<ChosenFile[]> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return chosenIn(files);
  const found: ChosenFile[] = [];
  for (let entry = entries.pop(); entry !== undefined && found.length < MOST_FILES; entry = entries.pop()) {
    if (entry.isFile) found.push(await fileOf(entry as FileSystemFileEntry));
    else entries.push(...(await entriesOf(entry as FileSystemDirectoryEntry)));
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const fileOf = (entry: FileSystemFileEntry): Promise<ChosenFile> =>
  new Promise((resolve, reject) => {
    entry.file((content) => resolve({ path: entry.fullPath.replace(/^\//u, ''), content }), reject);
  });

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // It gives some at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** A text as a file, which has the same name whenever the same is pasted, so that its runs are found again. */
export function pasted(text: string): ChosenFile {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return { path: `pasted ${(hash >>> 0).toString(36)}`, content: new Blob([text]) };
}
