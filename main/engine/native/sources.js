// Which sources an addon was built from: stamped into it by build.js, compared when it is loaded (addon.ts).
//
// Plain JavaScript, because an install may start build.js with an older Node than the one that runs TypeScript.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const SOURCE = /\.(cc|h|gyp)$/;

/** Hash of the names and texts of a folder's native sources; undefined where there are none, as in a packaged app. */
export function hashOfSources(folder) {
  if (!existsSync(path.join(folder, 'binding.gyp'))) return undefined;
  const hash = createHash('sha1');
  const names = readdirSync(folder).filter((name) => SOURCE.test(name));
  for (const name of names.sort())
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(path.join(folder, name)))
      .update('\0');
  return hash.digest('hex');
}
