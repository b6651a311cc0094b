/** One kernel call before it is encoded for the addon. */
export interface KernelCall {
  readonly kernel: string;
  /** Fields by name; missing pointers are null, missing numbers have the defaults of main/engine/native/addon.ts. */
  readonly fields: Readonly<Record<string, number>>;
  /** Numbers that follow the fields. */
  readonly extra?: readonly number[];
}
