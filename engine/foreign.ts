/**
 * What calls of C libraries are given and give back.
 *
 * @module
 */

/** A C string. */
export function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
}

/** The bytes of an array, where they are. */
export function bytesOf(
  { buffer, byteOffset, byteLength }: ArrayBufferView,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength) as Uint8Array<ArrayBuffer>;
}

/** Where an array is in memory. */
export function addressOf(view: BufferSource): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>)));
}

/** The text at an address; none if there is none, or it may not be read any more. */
export function textAt(address: bigint): string {
  try {
    const pointer = Deno.UnsafePointer.create(address);
    return pointer ? new Deno.UnsafePointerView(pointer).getCString() : "";
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return "";
    throw error;
  }
}

/** An array of pointers to texts, and the texts, as long as which it is valid. */
export interface TextPointers {
  readonly texts: readonly Uint8Array[];
  readonly array: Uint8Array<ArrayBuffer>;
}

/** Texts, and an array of pointers to them. */
export function pointersTo(values: readonly string[]): TextPointers {
  const texts = values.map(text);
  return { texts, array: bytesOf(BigUint64Array.from(texts.map(addressOf))) };
}
