/**
 * `npm run package:kernels -- FOLDER`: puts the built native addon beside the packages of a release and its checksum into their list, for
 * `sweeplab setup native` on machines without a compiler.
 */
import { appendFileSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadNative } from '../../main/engine/native/addon.ts';
import { CHECKSUMS, releasedAddon } from '../../main/engine/native/released.ts';
import { sha256 } from '../../main/files/whole.ts';
import { ROOT } from './contents.ts';

const [folder] = process.argv.slice(2);
const { native, reason } = loadNative();
if (folder === undefined || native === undefined) {
  console.error(`Nothing was written: ${reason ?? 'into which folder? npm run package:kernels -- FOLDER'}`);
  process.exit(folder === undefined ? 2 : 1);
}
const built = join(ROOT, 'main/engine/native/build/Release/sweeplab.node');
const name = releasedAddon(process.platform, process.arch, native.sources);
mkdirSync(folder, { recursive: true });
copyFileSync(built, join(folder, name));
appendFileSync(
  join(folder, `${CHECKSUMS}-${process.platform}-${process.arch}`),
  `${sha256(readFileSync(built))}  ${name}\n`,
);
console.log(resolve(folder, name));
