/** The addon as releases carry it, for machines without a compiler. */

/** Its file of a system, for the sources with this hash (sources.js): another build under the name could only be refused later. */
export const releasedAddon = (platform: string, arch: string, sources: string): string =>
  `sweeplab-kernels-${platform}-${arch}-${sources.slice(0, 12)}.node`;

/** The file of a release that says the SHA-256 of each of its files, as `sha256sum` does. */
export const CHECKSUMS = 'SHA256SUMS';
