import { createRegistry, type JsonSchema, type Listed } from "../../mod.ts";
import { defineCommand } from "../command.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";

const KINDS = ["upscale", "conv", "demodulation", "head", "loss", "metric"] as const;

/** `"l1" | "l2"`, `number`, `{ ll, lh }` */
function typeText(schema: JsonSchema): string {
  const { anyOf, enum: choices } = schema;
  if (Array.isArray(anyOf)) return anyOf.map((one: JsonSchema) => typeText(one)).join(" | ");
  if (Array.isArray(choices)) return choices.map((choice) => JSON.stringify(choice)).join(" | ");
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  if (schema.properties) return `{ ${Object.keys(schema.properties).join(", ")} }`;
  return String(schema.type ?? "any");
}

/** `norm "l1" | "l2" = "l1"` */
function optionText(name: string, schema: JsonSchema): string {
  const preset = schema.default === undefined ? "" : ` = ${JSON.stringify(schema.default)}`;
  return `${name} ${typeText(schema)}${preset}`;
}

/** The lines of one part: what it is, where it comes from, its options. */
function partLines({ name, summary, source, plugin, options }: Listed, width: number): string[] {
  const indent = " ".repeat(width + 4);
  const owner = plugin === "haarlem" ? "" : ` (plugin ${plugin})`;
  return [
    `  ${name.padEnd(width)}  ${summary}${owner}`,
    `${indent}source: ${source}`,
    ...Object.entries(options?.properties ?? {}).map(([option, schema]) =>
      `${indent}option: ${optionText(option, schema)}`
    ),
  ];
}

/** Prints everything that is registered. */
export const listCommand = defineCommand({
  summary: "List every registered part with its options and source",
  options: {
    kind: { type: "text", value: "KIND", help: "only parts of this kind", choices: KINDS },
    json: { type: "flag", help: "print JSON" },
    ...PLUGIN_OPTIONS,
  },
  examples: { "deno task list --kind loss": "the losses and what can be set" },
  async run({ kind, json, plugin }, context) {
    const { terminal } = context;
    const registry = createRegistry();
    await loadPlugins(registry, plugin, context);
    const kinds = KINDS.filter((one) => kind === undefined || one === kind);
    const listed = kinds.flatMap((one) => registry.list(one));
    if (json) return terminal.print(JSON.stringify(listed, undefined, 2));
    const width = Math.max(...listed.map(({ name }) => name.length));
    for (const one of kinds) {
      const parts = listed.filter(({ kind }) => kind === one);
      if (parts.length === 0) continue;
      terminal.print(one);
      for (const line of parts.flatMap((part) => partLines(part, width))) terminal.print(line);
    }
  },
});
