/** Of two packages without types what figures use. */
declare module 'pdfkit' {
  export interface EmbeddedFont {
    widthOfString(text: string, size: number): number;
    readonly font: { hasGlyphForCodePoint(code: number): boolean };
  }

  export class PDFDocument {
    constructor(options: {
      readonly size?: readonly [number, number];
      readonly margin?: number;
      readonly autoFirstPage?: boolean;
      /** Null: none before one is chosen. */
      readonly font?: null;
      readonly info?: Readonly<Record<string, string>>;
    });
    registerFont(name: string, bytes: Uint8Array): this;
    font(bytes: Uint8Array): { readonly _font: EmbeddedFont };
    on(event: 'data', listener: (piece: Uint8Array) => void): this;
    on(event: 'end', listener: () => void): this;
    end(): void;
  }
}

declare module 'svg-to-pdfkit' {
  import type { PDFDocument } from 'pdfkit';

  export default function svgToPdf(
    document: PDFDocument,
    svg: string,
    x: number,
    y: number,
    options: {
      readonly width: number;
      readonly height: number;
      readonly assumePt: boolean;
      fontCallback(family: string, bold: boolean): string;
      imageCallback(link: string): string;
      warningCallback(message: string): void;
    },
  ): void;
}
