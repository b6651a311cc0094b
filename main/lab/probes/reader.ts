/** Who reads what a check found: a terminal gives settings and steps as flags, the app has fields and a button for them. */
export type Reader = 'terminal' | 'app';

export const MORE_STEPS: Readonly<Record<Reader, string>> = { terminal: 'more --steps', app: 'more steps' };

/** Values of a setting as this reader would give them. */
export const givenTo = (reader: Reader, setting: string, values: readonly number[]): string =>
  reader === 'terminal' ? `--${setting} ${values.join(' ')}` : `${setting} ${values.join(', ')}`;
