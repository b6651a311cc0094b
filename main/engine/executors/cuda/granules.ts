/** In what the driver gives memory away: blocks of a device are counted in 2 MiB. */
const GRANULE = 2 * 2 ** 20;

export const granules = (bytes: number): number => Math.ceil(bytes / GRANULE) * GRANULE;
