/** Families whose committed PTX is not of these sources, and those that have no sources any more. */
export function staleFamilies(): { stale: string[]; gone: string[] };
export const ARCHITECTURES: readonly string[];
