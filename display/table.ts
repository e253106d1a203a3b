/**
 * Records as a table: HTML that takes the colours of its page, and Markdown.
 *
 * @module
 */

/** A row of a table: cells by the name of their column. */
export type Row = Readonly<Record<string, unknown>>;

const isNumber = (value: unknown) => typeof value === "number" || typeof value === "bigint";

/** Four digits; whole numbers in full, with a comma per thousand. */
function formatNumber(value: number | bigint): string {
  if (typeof value === "number" && !Number.isInteger(value)) {
    if (!Number.isFinite(value)) return String(value);
    const size = Math.abs(value);
    if (size < 1e-4) return value.toExponential(2);
    return size < 1e4 ? String(Number(value.toPrecision(4))) : formatNumber(Math.round(value));
  }
  return value.toLocaleString("en-US");
}

function formatCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (isNumber(value)) return formatNumber(value as number);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

interface Layout {
  readonly columns: readonly string[];
  /** Whether a column holds numbers only: these are set to the right. */
  readonly numeric: readonly boolean[];
  readonly cells: readonly (readonly string[])[];
}

function layOut(rows: readonly Row[]): Layout {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const isEmpty = (value: unknown) => value === undefined || value === null;
  const numeric = columns.map((column) =>
    rows.every((row) => isNumber(row[column]) || isEmpty(row[column])) &&
    rows.some((row) => isNumber(row[column]))
  );
  const cells = rows.map((row) => columns.map((column) => formatCell(row[column])));
  return { columns, numeric, cells };
}

const escapeHtml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** A table as HTML, without colours of its own. */
export function htmlTable(rows: readonly Row[]): string {
  const { columns, numeric, cells } = layOut(rows);
  const align = (i: number) => ` style="text-align:${numeric[i] ? "right" : "left"}"`;
  const line = (tag: string, texts: readonly string[]) =>
    `<tr>${
      texts.map((text, i) => `<${tag}${align(i)}>${escapeHtml(text)}</${tag}>`).join("")
    }</tr>`;
  return `<table><thead>${line("th", columns)}</thead><tbody>${
    cells.map((row) => line("td", row)).join("")
  }</tbody></table>`;
}

/** A table as Markdown, padded so that it can be read as it is. */
export function markdownTable(rows: readonly Row[]): string {
  const { columns, numeric, cells } = layOut(rows);
  const escaped = [columns, ...cells].map((row) => row.map((text) => text.replaceAll("|", "\\|")));
  const widths = columns.map((_, i) => Math.max(3, ...escaped.map((row) => row[i]!.length)));
  const pad = (text: string, i: number) =>
    numeric[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!);
  const line = (row: readonly string[]) => `| ${row.map(pad).join(" | ")} |`;
  const rule = `| ${
    widths.map((width, i) => numeric[i] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)).join(
      " | ",
    )
  } |`;
  const [head, ...body] = escaped;
  return [line(head!), rule, ...body.map(line)].join("\n");
}
