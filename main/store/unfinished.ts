/** Runs that are being filled out of sight: the source by which they are known until they appear (outside.ts). */
export const UNFINISHED = 'unfinished/';

/** As a condition on the table of sources. */
export const IS_UNFINISHED = `source GLOB '${UNFINISHED}*'`;
