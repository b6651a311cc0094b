/** The most layers that a model may have: what is given layer by layer is no longer than that. */
export const MOST_LAYERS = 1024;
