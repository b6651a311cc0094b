/** The thread that reads and writes sweeps as text: what a page sends may be a megabyte of it, and nobody else shall wait for that. */
import type { Draft } from '../../../preload/contract/draft.ts';
import type { Problem } from '../../../preload/contract/settings.ts';
import { parseSweep, sweepToYaml } from '../../lab/sweeps/index.ts';
import { answerWith } from './threadMain.ts';

export type TextQuestions = {
  fromYaml: {
    /** `methods`: all that a file may name. */
    ask: { yaml: string; methods: readonly string[] };
    answer: { draft: Draft | null; problems: Problem[]; extensions: string[] };
  };
  toYaml: { ask: { draft: Draft }; answer: { yaml: string } };
};

answerWith<TextQuestions>({
  fromYaml: ({ yaml, methods }) => {
    const { sweep = null, problems, extensions } = parseSweep(yaml, 'sweep.yaml', methods);
    return { draft: sweep, problems: [...problems], extensions: [...extensions] };
  },
  toYaml: ({ draft }) => ({ yaml: sweepToYaml(draft) }),
});
