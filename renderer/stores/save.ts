/** The one way of saving: a file, then a message that says what became of it. */
import { fileName } from '../../preload/shared/fileName.ts';
import { saveFile, showFile } from '../connect/files.ts';
import { useToasts } from './toasts.ts';

type Content = string | Blob;

/** What the desktop saved, and the way to it. */
export function toldSaved(path: string): void {
  const toasts = useToasts();
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  const show = async (): Promise<void> => {
    if (!(await showFile(path)))
      toasts.show({ level: 'warn', message: `${name} is no longer where it was saved`, details: path });
  };
  toasts.show({ level: 'good', message: `Saved ${name}`, details: path, action: { label: 'Show', run: show } });
}

/**
 * Saves `content` as a file: where the desktop's dialog says, or as a download of the browser, which shows it in its own way. Failures
 * (no room, no permission, a picture that cannot be drawn) are told in words.
 * @param name with its ending; made fit for every system
 * @param content or what makes it
 * @returns false when nothing was saved: it failed, or nobody chose a place
 */
export async function save(
  name: string,
  type: string,
  content: Content | (() => Content | Promise<Content>),
): Promise<boolean> {
  const file = fileName(name);
  try {
    const saved = await saveFile({
      name: file,
      type,
      content: typeof content === 'function' ? await content() : content,
    });
    if (saved !== null && 'path' in saved) toldSaved(saved.path);
    return saved !== null;
  } catch (error) {
    useToasts().fail(`${file} was not saved`, error);
    return false;
  }
}
