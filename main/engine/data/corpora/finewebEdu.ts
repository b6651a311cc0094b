import { hubCorpus } from './download.ts';

export const finewebEdu = hubCorpus(
  'fineweb-edu',
  'educational web pages, the 10-billion-token sample of FineWeb-Edu, tens of GB: set data.size (ODC-By)',
  { dataset: 'HuggingFaceFW/fineweb-edu', config: 'sample-10BT', column: 'text' },
);
