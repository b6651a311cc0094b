/** What preparing a dataset may be told. */
import type { Kinds } from '../kind.ts';
import type { SourceOptions } from './corpora/corpusKind.ts';
import type { ShardRequest } from './shards/prepareShards.ts';
import type { PreparedTokenizer } from './tokenizers/tokenizer.ts';

export interface PrepareOptions extends SourceOptions {
  /** The corpora and tokenizers that exist; the built-in ones unless given. */
  readonly kinds?: Kinds | undefined;
  /** A tokenizer that this text shares with others; else its own is made. */
  readonly tokenizer?: PreparedTokenizer | undefined;
  /** How texts of many bytes are prepared, and from how many on; for tests. */
  readonly shards?: Pick<ShardRequest, 'shardIds' | 'threads'> & { readonly from?: number };
}
