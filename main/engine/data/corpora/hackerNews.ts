import { hubCorpus } from './download.ts';

export const hackerNews = hubCorpus(
  'hacker-news',
  'titles of Hacker News posts (julien040/hacker-news-posts); set data.size or take all',
  { dataset: 'julien040/hacker-news-posts', config: '', column: 'title' },
);
