/** A page for who has no lab: what came out, with charts, tests, configuration and code version, in one file that opens anywhere. */
import { defineExchange } from './exchange.ts';

export const report = defineExchange({
  name: 'report',
  label: 'HTML report',
  help: 'One page that opens offline, in light and dark and on paper: settings ranked with N and test, charts, runs, configuration, code version.',
  extensions: ['html'],
  options: ['metrics', 'settings'],
  async *write(job) {
    // Charts take most of a second to load: only when they are drawn.
    const { reportPieces } = await import('./report/page.ts');
    yield* reportPieces(job);
  },
});
