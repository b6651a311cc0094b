import type { Draft } from '../../../preload/contract/draft.ts';
import { startsPrograms } from '../../../preload/shared/sweeps/programs.ts';
import { navigate } from '../../frame/router.ts';
import * as lab from '../../stores/lab.ts';
import { usePrograms } from '../../stores/programs.ts';

/** To the view of programs. What is drafted here goes along where it starts one. */
export async function asProgram(draft: Draft): Promise<void> {
  if (startsPrograms(draft)) usePrograms().text = (await lab.toYaml(draft, new AbortController().signal)).yaml;
  navigate('/program');
}
