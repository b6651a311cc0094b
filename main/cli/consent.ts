/** Asks the person at the terminal. */
import { createInterface } from 'node:readline';

/** Asks until the answer is y or n. Without somebody to answer (end of input), the answer is n. */
export async function confirmed(json: boolean, question = 'Proceed?'): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: json ? process.stderr : process.stdout });
  // A pipe may bring all of its lines, and its end, before the first of them is looked at.
  let ended = false;
  lines.once('close', () => (ended = true));
  try {
    lines.setPrompt(`${question} [y/n] `);
    lines.prompt();
    for await (const answer of lines) {
      if (/^y(es)?$/iu.test(answer.trim())) return true;
      if (/^n(o)?$/iu.test(answer.trim())) return false;
      if (!ended) lines.prompt();
    }
    return false;
  } finally {
    lines.close();
  }
}
