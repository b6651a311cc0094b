/** The value of `precision.policy` that leaves it to the device; a run has what it came to. */
export const AUTO_POLICY = 'auto';
