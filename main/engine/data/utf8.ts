/** What is valid UTF-8. */

/** The longest prefix of bytes[from …] that is valid UTF-8. Returns its end. */
export function validEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const lead = bytes[at];
    let length = 1;
    if (lead >= 0x80) {
      length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
      if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return at;
      for (let i = 1; i < length; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return at;
      // Overlong forms, surrogates and numbers beyond U+10FFFF.
      const second = bytes[at + 1];
      if (lead === 0xe0 && second < 0xa0) return at;
      if (lead === 0xed && second > 0x9f) return at;
      if (lead === 0xf0 && second < 0x90) return at;
      if (lead === 0xf4 && second > 0x8f) return at;
    }
    at += length;
  }
  return at;
}

/** Bytes that belong to no character, and where the first of them is (−1: there are none). */
export function invalidBytes(bytes: Uint8Array): { count: number; first: number } {
  let count = 0;
  let first = -1;
  for (let at = validEnd(bytes, 0); at < bytes.length; at = validEnd(bytes, at + 1)) {
    if (first < 0) first = at;
    count++;
  }
  return { count, first };
}

/** How many bytes at the end are the beginning of a character that may go on (0 to 3). */
export function openCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
