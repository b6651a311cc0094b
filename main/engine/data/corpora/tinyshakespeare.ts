import { defineCorpus, limitOf } from './corpusKind.ts';
import { downloadSource } from './download.ts';

export const tinyshakespeare = defineCorpus({
  name: 'tinyshakespeare',
  help: 'works of Shakespeare, 1.1 MB, public domain',
  download: true,
  bytes: limitOf,
  open: (c, options) =>
    downloadSource(
      {
        id: 'tinyshakespeare',
        column: '',
        from: {
          kind: 'github',
          path: 'karpathy/char-rnn/master/data/tinyshakespeare/input.txt',
          filename: 'tinyshakespeare.txt',
          sha256: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
        },
      },
      c,
      options,
    ),
});
