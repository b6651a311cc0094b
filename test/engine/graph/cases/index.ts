/**
 * One or more examples of every operation on random odd shapes, a file for each family. The tests of shapes, gradients and executors all
 * run over this list, and fail when a registered operation is missing from it.
 */
import { attentionCases } from './attention.ts';
import type { OperationCase } from './case.ts';
import { activationCases, binaryCases, comparisonCases, unaryCases } from './elementwise.ts';
import { expertCases } from './experts.ts';
import { fusedCases } from './fused.ts';
import { indexingCases, randomCases, rotaryCases } from './indexing.ts';
import { leafCases } from './leaves.ts';
import { lossCases } from './loss.ts';
import { movementCases } from './movement.ts';
import { optimizerCases } from './optimizer.ts';
import { normCases, productCases, reductionCases } from './products.ts';
import { sparseCases } from './sparseAttention.ts';
import { sparsekCases, sparsekGradCases } from './sparsek.ts';

export const CASES: readonly OperationCase[] = [
  ...leafCases,
  ...unaryCases,
  ...binaryCases,
  ...comparisonCases,
  ...movementCases,
  ...reductionCases,
  ...productCases,
  ...indexingCases,
  ...randomCases,
  ...normCases,
  ...activationCases,
  ...attentionCases,
  ...sparseCases,
  ...sparsekCases,
  ...sparsekGradCases,
  ...expertCases,
  ...rotaryCases,
  ...lossCases,
  ...optimizerCases,
  ...fusedCases,
];
