/** Types and lint side by side: each keeps one core busy, and none waits for another. What one says is printed when it is done. */
import { spawn } from 'node:child_process';

const SCRIPTS = ['typecheck:node', 'typecheck:pages', 'lint'];

/** @param {string} script */
function passes(script) {
  // A shell, since npm is a script of another name on Windows.
  const child = spawn(`npm run --silent ${script}`, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => said.push(piece));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(said));
      if (code !== 0) console.error(`npm run ${script} has failed.`);
      resolve(code === 0);
    });
  });
}

const passed = await Promise.all(SCRIPTS.map(passes));
process.exitCode = passed.every(Boolean) ? 0 : 1;
