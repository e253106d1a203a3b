/** Tables of text, as Markdown. @module */

/** Lines of a table whose columns are as wide as they must be; numbers stand right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => pad(cell, widths[i]!)).join(" | ")} |`;
  const rule = `| ${
    widths.map((width, i) => isRight(rows, i) ? `${"-".repeat(width - 1)}:` : "-".repeat(width))
      .join(" | ")
  } |`;
  return [line(head), rule, ...rows.map(line)];
}

const NUMBER = /^[-\d.]/;
const isRight = (rows: readonly (readonly string[])[], i: number) =>
  rows.every((row) => row[i] === "" || NUMBER.test(row[i]!));
const pad = (cell: string, width: number) =>
  NUMBER.test(cell) ? cell.padStart(width) : cell.padEnd(width);
