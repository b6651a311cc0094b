/** Products whose rows belong to groups with a matrix each (experts). Where groups end is known on the device alone. */
import { int } from '../kernel.ts';
import type { CallFields, CudaKernels } from '../kernel.ts';
import { DRIVER_ALONE } from '../products.ts';
import type { Product } from '../products.ts';
import { productLaunches } from './gemm.ts';
import type { Special } from './gemm.ts';

/** How the kernels of gemm.h share out the groups: their rows, or their depth. */
const BY_ROWS = 1;
const BY_DEPTH = 2;

function grouped(fields: CallFields): readonly [Product, Special] {
  const [rows, groups, n, k, tb] = ['rows', 'groups', 'n', 'k', 'tb'].map((name) => int(fields, name)) as number[];
  const product = {
    a: int(fields, 'x'),
    b: int(fields, 'w'),
    c: int(fields, 'y'),
    m: rows,
    n,
    k,
    tb,
    lda: k,
    ldb: tb === 0 ? n : k,
    ldc: n,
    sb: n! * k!,
    atype: fields['xtype'],
    btype: fields['wtype'],
    ctype: fields['ytype'],
    compute: fields['compute'],
  } as Product;
  return [product, { grouped: BY_ROWS, groups: groups!, ends: int(fields, 'ends') }];
}

function outer(fields: CallFields): readonly [Product, Special] {
  const [rows, groups, m, n] = ['rows', 'groups', 'm', 'n'].map((name) => int(fields, name)) as number[];
  const product = {
    a: int(fields, 'x'),
    b: int(fields, 'y'),
    c: int(fields, 'out'),
    m,
    n,
    k: rows,
    ta: 1,
    lda: m,
    ldb: n,
    ldc: n,
    batch: groups,
    sc: m! * n!,
    atype: fields['xtype'],
    btype: fields['ytype'],
    ctype: fields['outtype'],
    compute: fields['compute'],
  } as Product;
  return [product, { grouped: BY_DEPTH, groups: groups!, ends: int(fields, 'ends') }];
}

const rule = (of: typeof grouped): CudaKernels[string] => ({
  launches: (fields) => {
    const [product, special] = of(fields);
    return productLaunches(product, 0, DRIVER_ALONE, special);
  },
});

export const GROUPED_KERNELS: CudaKernels = { grouped_gemm: rule(grouped), grouped_outer: rule(outer) };
