/** What the file system says, in words for whoever chose the file. */
import { basename, dirname } from 'node:path';
import { openFilesProblem } from './openFiles.ts';

const READ: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you have no permission to',
  EPERM: 'you have no permission to',
  ELOOP: 'it is a link that leads nowhere',
  ENAMETOOLONG: 'its name is too long',
  EIO: 'the disk reports an error',
  ENODEV: 'its device is gone',
};

/** Why a file could not be read: completes `NAME cannot be read: …`. */
export function readProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code === undefined ? undefined : READ[code]) ?? openFilesProblem(error) ?? message;
}

/** Why a file that someone chose could not be written, in words; nothing was changed. */
export function writeProblem(error: NodeJS.ErrnoException, path: string): string {
  const { code, message } = error;
  const [name, folder] = [basename(path), dirname(path)];
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `There is no room left for ${name} in ${folder}; nothing was written.`;
    case 'EFBIG':
      return `${name} is larger than a file in ${folder} may be; nothing was written.`;
    case 'EIO':
      return `${name} could not be written in ${folder}: the disk reports an error.`;
    case 'EACCES':
    case 'EPERM':
      return `${name} may not be written in ${folder}: choose another folder.`;
    case 'EROFS':
      return `${folder} can only be read: choose another folder.`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `There is no folder ${folder}.`;
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return `${path} is a folder: choose another name.`;
    case 'EBUSY':
      return `${name} is open in another program; close it there, or choose another name.`;
    case 'ENAMETOOLONG':
      return `The name ${name.slice(0, 40)}… is too long.`;
    default:
      return `${name} could not be written: ${openFilesProblem(error) ?? message}`;
  }
}
