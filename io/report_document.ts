/**
 * A small document, written as Markdown and as one self-contained HTML page.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Text in a document: plain, or to be shown as code. */
export type Inline = string | { readonly code: string };

/** A picture: Markdown links the file, HTML holds its content. */
export interface Picture {
  readonly kind: "picture";
  readonly caption: string;
  /** Relative to the document. */
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** What stands between two others in a document. */
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: readonly Inline[] }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly text: string }
  | {
    readonly kind: "table";
    /** The first column is text, the others are numbers, unless `text` says otherwise. */
    readonly head: readonly string[];
    readonly rows: readonly (readonly Inline[])[];
    readonly text?: boolean;
  }
  | Picture;

/** A title and what follows. */
export interface ReportDocument {
  readonly title: string;
  readonly blocks: readonly Block[];
}

function markdownText(text: string): string {
  return text.replaceAll(/[\\`*_<>[\]|#~]/g, "\\$&").replaceAll(/\s+/g, " ");
}

function markdownInline(inline: Inline): string {
  if (typeof inline === "string") return markdownText(inline);
  const code = inline.code.replaceAll(/\s+/g, " ");
  const longest = Math.max(0, ...(code.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  const pad = longest > 0 ? " " : "";
  return `${fence}${pad}${code.replaceAll("|", "\\|")}${pad}${fence}`;
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function markdownBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `## ${markdownText(block.text)}`;
    case "text":
      return block.text.map(markdownInline).join("");
    case "list":
      return block.items.map((item) => `- ${markdownText(item)}`).join("\n");
    case "code":
      return block.text.split("\n").map((line) => `    ${line}`).join("\n");
    case "table": {
      const rule = block.head.map((_, i) => i > 0 && !block.text ? "--:" : ":--");
      const rows = block.rows.map((row) => markdownRow(row.map(markdownInline)));
      return [markdownRow(block.head.map(markdownText)), markdownRow(rule), ...rows].join("\n");
    }
    case "picture":
      return `![${markdownText(block.caption)}](${encodeURI(block.path)})`;
  }
}

/** The document as Markdown. */
export function toMarkdown({ title, blocks }: ReportDocument): string {
  return `${[`# ${markdownText(title)}`, ...blocks.map(markdownBlock)].join("\n\n")}\n`;
}

const STYLE = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fefefe;--ink:#1f2430;--muted:#626b7d;
--line:#e4e7ec}
@media (prefers-color-scheme:dark){:root{--page:#0f1116;--card:#171a21;--ink:#e8ebf1;
--muted:#a0a9ba;--line:#2d333f}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:968px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;line-height:1.25;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:18px;margin:36px 0 10px}
p{margin:8px 0;max-width:72ch}
ul{margin:8px 0;padding-left:20px;color:var(--muted)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;background:var(--card);
border:1px solid var(--line);border-radius:8px;border-spacing:0;min-width:min(100%,420px)}
th,td{padding:6px 14px;text-align:right;border-top:1px solid var(--line);vertical-align:top}
tr:first-child th{border-top:0}
th{color:var(--muted);font-weight:600}
th:first-child,td:first-child,.text th,.text td{text-align:left}
code,pre{font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px;
overflow-x:auto;margin:8px 0}
figure{margin:12px 0;overflow-x:auto}
figure img{max-width:100%;height:auto;display:block;border-radius:4px}
figure svg{width:100%;min-width:680px;height:auto;display:block}
.sharp{image-rendering:pixelated}
figcaption{color:var(--muted);font-size:13px;margin-top:6px}
`.replaceAll("\n", "");

function htmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function htmlInline(inline: Inline): string {
  return typeof inline === "string" ? htmlText(inline) : `<code>${htmlText(inline.code)}</code>`;
}

const PAGE_WIDTH_PX = 920;

/** A PNG over the whole page; enlarged by a whole number where that fits, so that it stays sharp. */
function htmlPng(png: Uint8Array, caption: string): string {
  const width = new DataView(png.buffer, png.byteOffset).getUint32(16); // in the IHDR chunk
  const factor = Math.floor(PAGE_WIDTH_PX / width);
  const shown = factor > 1 ? `width="${width * factor}" class="sharp"` : `width="${PAGE_WIDTH_PX}"`;
  const base64 = Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString("base64");
  return `<img src="data:image/png;base64,${base64}" alt="${htmlText(caption)}" ${shown}>`;
}

function htmlBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `<h2>${htmlText(block.text)}</h2>`;
    case "text":
      return `<p>${block.text.map(htmlInline).join("")}</p>`;
    case "list":
      return `<ul>${block.items.map((item) => `<li>${htmlText(item)}</li>`).join("")}</ul>`;
    case "code":
      return `<pre>${htmlText(block.text)}</pre>`;
    case "table": {
      const head = block.head.map((cell) => `<th>${htmlText(cell)}</th>`).join("");
      const rows = block.rows.map((row) =>
        `<tr>${row.map((cell) => `<td>${htmlInline(cell)}</td>`).join("")}</tr>`
      );
      const kind = block.text ? ' class="text"' : "";
      return `<div class="scroll"><table${kind}><tr>${head}</tr>${rows.join("\n")}</table></div>`;
    }
    case "picture": {
      const { content, caption } = block;
      if (typeof content === "string") return `<figure>${content}</figure>`; // an SVG with its title
      const image = htmlPng(content, caption);
      return `<figure>${image}<figcaption>${htmlText(caption)}</figcaption></figure>`;
    }
  }
}

/** The document as one HTML file that needs no other, readable in light and dark. */
export function toHtml({ title, blocks }: ReportDocument): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${htmlText(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${htmlText(title)}</h1>
${blocks.map(htmlBlock).join("\n")}
</main>
</body>
</html>
`;
}
