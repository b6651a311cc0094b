/** `npm run package:feed -- ADDRESS`: what installed apps are told of this version, and the page that says more. */
import { feedProblem } from '../../main/host/updates.ts';
import { manifestOf } from './stage.ts';

const [page = ''] = process.argv.slice(2);
const problem = feedProblem(page);
if (problem !== undefined) {
  console.error(problem);
  process.exit(2);
}
console.log(JSON.stringify({ version: manifestOf().version, page }));
