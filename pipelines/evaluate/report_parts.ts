/**
 * What the sections of a report are made of.
 *
 * @module
 */
import type { Block, Inline } from "../../io/report_document.ts";
import type { Measurement } from "./measurement.ts";

/** Cells of a table. */
export type Row = readonly Inline[];

const SIGNS = { "used in training": " †", "training unknown": " ?" } as const;

/** Numbers as tables show them: some three digits, whole ones as they are. */
export function figure(value: number | undefined): string {
  if (value === undefined) return "";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return size >= 0.001 ? value.toFixed(3) : value.toExponential(1);
}

/** Millions. */
export function millions(value: number): string {
  return `${(value / 1e6).toFixed(value < 1e6 ? 3 : 2)} M`;
}

/** A heading. */
export function heading(text: string): Block {
  return { kind: "heading", text };
}

/** A paragraph. */
export function text(...content: Inline[]): Block {
  return { kind: "text", text: content };
}

/** A table, if it has rows. */
export function table(head: readonly string[], rows: readonly Row[]): Block[] {
  return rows.length > 0 ? [{ kind: "table", head, rows }] : [];
}

/** Values of the only measurement of that kind. */
export function find(
  all: readonly Measurement[],
  wanted: Partial<Pick<Measurement, "metric" | "subject" | "reference" | "features">>,
): Measurement | undefined {
  return all.find((one) =>
    Object.entries(wanted).every(([field, value]) => one[field as "metric"] === value)
  );
}

/** Every value once. */
export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** The sign beside a number that is marked. */
export function signOf(measurement: Measurement | undefined): string {
  return measurement?.mark ? SIGNS[measurement.mark] : "";
}
