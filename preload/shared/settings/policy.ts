/** The value of `precision.policy` that leaves it to the device; a run has what it came to. */
export const AUTO_POLICY = 'auto';
/** Code of what is said of a choice that was made by itself: worth knowing, no warning. */
export const CHOSEN = 'auto';
