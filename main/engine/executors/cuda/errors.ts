/** A call of the driver, or of a library over it, that failed. */
export class DeviceCallError extends Error {
  /** As its documentation names it. */
  readonly call: string;
  readonly code: number;
  /** Memory of the device, beside what was planned, was not there. */
  readonly outOfMemory: boolean;

  constructor(message: string, call: string, code: number, outOfMemory: boolean) {
    super(message);
    this.call = call;
    this.code = code;
    this.outOfMemory = outOfMemory;
  }
}
