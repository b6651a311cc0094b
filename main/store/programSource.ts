/** By what a run whose program the lab starts is known; what is started lies with it, where no report can write it. */
export const programSource = (runId: string): string => `program/${runId}`;
