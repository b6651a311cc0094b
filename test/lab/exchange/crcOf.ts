/** A checksum from its polynomial, four bits at a time: what the tables of writers are checked against. */

/** @param polynomial with its bits reversed */
export function crcOf(polynomial: number): (bytes: Uint8Array) => number {
  const remainder = (nibble: number): number => {
    let rest = nibble;
    for (let bit = 0; bit < 4; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  };
  const nibbles = Int32Array.from({ length: 16 }, (_, nibble) => remainder(nibble));
  return (bytes) => {
    let crc = -1;
    for (const byte of bytes) {
      crc = (crc >>> 4) ^ nibbles[(crc ^ byte) & 15];
      crc = (crc >>> 4) ^ nibbles[(crc ^ (byte >> 4)) & 15];
    }
    return ~crc >>> 0;
  };
}
