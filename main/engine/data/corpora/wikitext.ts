import type { Documents } from '../corpusBuilder.ts';
import type { Regroup } from '../reading/reader.ts';
import { hubCorpus } from './download.ts';

/** WikiText's rows are lines; an article begins at a heading of the first level, ` = Title = `. */
export function joinArticles(documents: Documents): ReturnType<Regroup> {
  const heading = /^ = [^=].* = ?\n?$/;
  const newline = Uint8Array.of(10);
  let open = false;
  const add = (line: Uint8Array): boolean => {
    if (open && line.length < 400 && heading.test(Buffer.from(line).toString('utf8'))) {
      open = false;
      if (!documents.close()) return false;
    }
    open = true;
    // A row without its line end gets one back.
    return documents.part(line) && (line[line.length - 1] === 10 || documents.part(newline));
  };
  return {
    wantsEmpty: true,
    add,
    addText: (line) => add(Buffer.from(line, 'utf8')),
    part: () => {
      throw new Error('a table gives whole rows');
    },
    close: () => true,
    end: () => {
      if (open) documents.close();
    },
  };
}

const wikitext = (size: string, megabytes: number) =>
  hubCorpus(
    `wikitext-${size}`,
    `WikiText-${size} raw, Wikipedia articles, about ${megabytes} MB (Merity et al. 2016, CC BY-SA)`,
    { dataset: 'Salesforce/wikitext', config: `wikitext-${size}-raw-v1`, column: 'text', regroup: joinArticles },
  );

export const wikitext2 = wikitext('2', 11);
export const wikitext103 = wikitext('103', 540);
