import type { AnyCommand, Option } from "./command.ts";
import { COMMON } from "./read_options.ts";

const WIDTH = 100;

/** Two columns; the second is wrapped to the width of the page. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows.map(([name, text]) => {
    const lines = wrap(text, WIDTH - left);
    return [`  ${name}`.padEnd(left) + lines[0], ...lines.slice(1).map((l) => " ".repeat(left) + l)]
      .join("\n");
  }).join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}

function optionRow([name, option]: [string, Option]): [string, string] {
  const repeats = option.type === "texts" ? " ..." : "";
  const value = option.type === "flag" ? "" : ` ${option.value ?? option.type.toUpperCase()}`;
  const notes = [
    option.choices && `one of ${option.choices.join(", ")}`,
    option.required && "required",
    option.default !== undefined && `default ${option.default}`,
  ].filter(Boolean);
  const note = notes.length > 0 ? ` (${notes.join("; ")})` : "";
  return [`--${name}${value}${repeats}`, `${option.help}${note}`];
}

function positionalOf({ positional, options }: AnyCommand): string {
  return positional ? ` ${options[positional]!.value} ...` : "";
}

/** The help of one command. */
export function commandHelp(task: string, command: AnyCommand): string {
  const options = Object.entries({ ...command.options, ...COMMON } as Record<string, Option>);
  const examples = Object.entries(command.examples ?? {});
  return [
    `${command.summary}\n`,
    `Usage: deno task ${task}${positionalOf(command)} [options]\n`,
    ...command.description
      ? [command.description.split("\n").flatMap((line) => wrap(line, WIDTH)).join("\n") + "\n"]
      : [],
    `Options:\n${columns(options.map(optionRow))}`,
    ...examples.length > 0
      ? [`\nExamples:\n${examples.map(([line, what]) => `  # ${what}\n  ${line}`).join("\n")}`]
      : [],
  ].join("\n");
}

/** The list of commands. */
export function overallHelp(commands: Readonly<Record<string, AnyCommand>>): string {
  return [
    "Haarlem distils a StyleGAN2 teacher into a MobileStyleGAN student.\n",
    "Usage: deno task <command> [options]\n",
    "Commands:",
    columns(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
    '\n"deno task <command> --help" lists the options of a command.',
  ].join("\n");
}
