/// <reference lib="deno.unstable" />
/**
 * The import rules of `docs/architecture.md` as lint rules, so that an editor shows a wrong import
 * while it is typed. `tests/architecture_test.ts` runs them over the tree and plants faults.
 *
 * @module
 */
import { join, pathOf, unitOf, visitGlobal, visitImports } from "./lint_visitors.ts";

interface Unit {
  /** The units whose files it may import, besides its own. */
  readonly units: readonly string[];
  /** The packages it may import; absent: any. */
  readonly packages?: readonly string[];
}

const PURE = ["@tensorflow/tfjs", "@standard-schema/spec", "zod"];

/** What each unit may import. Read top to bottom it is the architecture. */
export const UNITS: Readonly<Record<string, Unit>> = {
  core: { units: [], packages: [...PURE, "leven"] },
  engine: { units: ["core"] },
  layers: { units: ["core"], packages: PURE },
  networks: { units: ["core", "layers"], packages: PURE },
  losses: { units: ["core", "layers", "networks"], packages: PURE },
  metrics: { units: ["core", "engine", "layers", "networks"] },
  io: { units: ["core", "engine"] },
  data: { units: ["core"] },
  registry: { units: ["core", "layers", "networks", "losses", "metrics"] },
  pipelines: {
    units: [
      "core",
      "engine",
      "layers",
      "networks",
      "losses",
      "metrics",
      "io",
      "data",
      "registry",
    ],
  },
  display: { units: ["core", "io", "pipelines"] },
  mod: {
    units: [
      "core",
      "engine",
      "layers",
      "networks",
      "losses",
      "metrics",
      "io",
      "data",
      "registry",
      "pipelines",
      "display",
    ],
  },
  cli: { units: ["mod"], packages: ["@std/cli/parse-args", "cli-progress", "leven"] },
  notebooks: { units: ["mod"] },
  plugins: { units: ["mod"] },
};

/** Not the product: these may import, read, print and draw as they like. */
const FREE = ["tests", "bench", "tools", "compat"];

/** Files that break a rule for a reason. */
export const EXCEPTIONS: Readonly<
  Record<string, Readonly<Record<string, string>>>
> = {
  "no-disk": {
    "engine/find_openvino.ts": "looks for the library that an engine loads",
    "engine/placement.ts": "reads where nodes ran, which ONNX Runtime tells only in a file",
    "cli/load_plugins.ts":
      "looks for the user's haarlem.config.ts, which is code of the command line",
    "cli/read_config.ts": "reads the file of --config, which is text of the command line",
  },
  "no-print": {
    "io/native/smoke.ts": "a program of its own, which buildNativeAddon() runs and reads",
    "display/surroundings.ts": "the line that show() leaves where there is no notebook",
  },
  "no-computed-import": {
    "cli/load_plugins.ts": "runs third parties' code that the user names by --plugin",
    "engine/mod.ts": "the engine's library is loaded only if it is asked for",
    "engine/onnx_library.ts": "where the package lies is known only from what it has loaded",
    "engine/native.ts": "the addon lies where `deno task native` has built it",
  },
};

const FILE_API =
  /^(?:readDir|readFile|readTextFile|readLink|writeFile|writeTextFile|open|create|copyFile|link|symlink|mkdir|makeTempDir|makeTempFile|remove|rename|truncate|stat|lstat|realPath|utime|chmod|chown|umask|watchFs|FsFile)(?:Sync)?$/;
const FILE_MODULE = /^node:(?:fs|fs\/promises|http|https|net|tls|dgram)$/;
const NETWORK_API = /^(?:connect|connectTls|listen|listenTls|serve|createHttpClient)$/;
const PRINT_API = /^(?:exit|exitCode|stdout|stderr|consoleSize)$/;
const TF_RANDOM =
  /^(?:rand|randomNormal|randomStandardNormal|randomUniform|randomUniformInt|randomGamma|truncatedNormal|multinomial|dropout|initializers|data)$/;

type Visitor = Deno.lint.LintVisitor;

/** A rule for the files of the product; `check` gets the path below the root. */
function rule(
  check: (path: string, context: Deno.lint.RuleContext) => Visitor,
  free: readonly string[] = FREE,
): Deno.lint.Rule {
  return {
    create(context) {
      const path = pathOf(context.filename);
      return path === undefined || free.includes(unitOf(path)) ? {} : check(path, context);
    },
  };
}

function importFault(path: string, specifier: string): string | undefined {
  const unit = UNITS[unitOf(path)];
  if (!unit) {
    return `Cannot place ${path}: expected a unit of docs/architecture.md (${
      Object.keys(UNITS).join(", ")
    })`;
  }
  if (/^(?:npm|jsr|https?|data|file):/.test(specifier)) {
    return `Cannot import "${specifier}": expected a name of the import map in deno.json`;
  }
  if (!specifier.startsWith(".") && specifier !== "haarlem") {
    if (specifier.startsWith("node:") || !unit.packages) return undefined;
    return unit.packages.includes(specifier)
      ? undefined
      : `Cannot import "${specifier}" from ${unitOf(path)}: expected one of ${
        unit.packages.join(", ")
      }`;
  }
  const target = specifier === "haarlem"
    ? "mod.ts"
    : new URL(specifier, `file:///${path}`).pathname.slice(1);
  const [from, to] = [unitOf(path), unitOf(target)];
  return from === to || unit.units.includes(to)
    ? undefined
    : `Cannot import "${specifier}" from ${unitOf(path)}: expected a file of ${
      [from, ...unit.units].join(", ")
    }`;
}

const excepted = (ruleName: string, path: string) => Object.hasOwn(EXCEPTIONS[ruleName]!, path);

const plugin: Deno.lint.Plugin = {
  name: "architecture",
  rules: {
    /** Every import points down the list of units. */
    imports: rule((path, context) =>
      visitImports(context, (specifier, node) => {
        const message = specifier === undefined ? undefined : importFault(path, specifier);
        if (message) context.report({ node, message });
      })
    ),

    /** What runs is known from the text, save where third parties' code is loaded. */
    "no-computed-import": rule((path, context) =>
      visitImports(context, (specifier, node) => {
        if (specifier === "node:module" || specifier === undefined) {
          if (excepted("no-computed-import", path)) return;
          const message = "Cannot import a computed name: expected a string";
          context.report({ node, message });
        }
      })
    ),

    /** Only io/ and data/ touch disk and network. */
    "no-disk": rule((path, context) => {
      if (["io", "data"].includes(unitOf(path)) || excepted("no-disk", path)) return {};
      const report = (what: string, node: Deno.lint.Node) =>
        context.report({
          node,
          message: `Cannot use ${what} here: expected disk and network in io/ and data/ only`,
        });
      return join(
        visitImports(context, (specifier, node) => {
          if (specifier && FILE_MODULE.test(specifier)) report(specifier, node);
        }),
        visitGlobal("Deno", (member, node) => {
          if (member === undefined || FILE_API.test(member) || NETWORK_API.test(member)) {
            report(member === undefined ? "Deno as a value" : `Deno.${member}`, node);
          }
        }),
        {
          CallExpression(node) {
            if (node.callee.type === "Identifier" && node.callee.name === "fetch") {
              report("fetch", node);
            }
          },
        },
      );
    }),

    /** Only the command line prints and exits. */
    "no-print": rule((path, context) => {
      if (unitOf(path) === "cli" || excepted("no-print", path)) return {};
      const report = (what: string, node: Deno.lint.Node) =>
        context.report({
          node,
          message: `Cannot use ${what} here: expected printing and exiting in cli.ts only`,
        });
      return join(
        visitImports(context, (specifier, node) => {
          if (specifier === "node:process") report(specifier, node);
        }),
        visitGlobal("console", (member, node) => report(`console.${member ?? "*"}`, node)),
        visitGlobal("process", (member, node) => report(`process.${member ?? "*"}`, node)),
        visitGlobal("Deno", (member, node) => {
          if (member !== undefined && PRINT_API.test(member)) report(`Deno.${member}`, node);
        }),
      );
    }),

    /** Only core/random.ts makes randomness, and it needs none of these. */
    "no-randomness": rule((path, context) => {
      const report = (what: string, node: Deno.lint.Node) =>
        context.report({
          node,
          message: `Cannot use ${what}: expected numbers of core/random.ts, which repeat`,
        });
      return join(
        visitGlobal("Math", (member, node) => {
          if (member === undefined || member === "random") report(`Math.${member ?? "*"}`, node);
        }),
        visitGlobal("crypto", (member, node) => {
          if (member !== "subtle") report(`crypto.${member ?? "*"}`, node);
        }),
        visitGlobal("tf", (member, node) => {
          const seeded = FREE.includes(unitOf(path)); // a test may give tfjs a seed
          if (member && TF_RANDOM.test(member) && !seeded) report(`tf.${member}`, node);
        }),
      );
    }, ["compat", "tools"]),

    /** A part's file, its registered name and its export say the same. */
    "part-name": rule((path, context) => {
      const [, folder, file] =
        /^(?:layers\/)?(upscale|conv|demodulation|head|losses|metrics)\/(\w+)\.ts$/.exec(path) ??
          [];
      if (!folder || !file || file === "mod") return {};
      const kind = { losses: "loss", metrics: "metric" }[folder] ?? folder;
      const camel = (name: string) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
      const expected = camel(`${file}_${kind}`);
      const names: string[] = [];
      let registered: string | undefined;
      return {
        "ExportNamedDeclaration > VariableDeclaration > VariableDeclarator"(
          node: Deno.lint.VariableDeclarator,
        ) {
          if (node.id.type !== "Identifier") return;
          names.push(node.id.name);
          if (node.id.name !== expected || node.init?.type !== "CallExpression") return;
          const [part] = node.init.arguments;
          if (part?.type !== "ObjectExpression") return;
          for (const property of part.properties) {
            if (
              property.type === "Property" && property.key.type === "Identifier" &&
              property.key.name === "name" && property.value.type === "Literal"
            ) registered = String(property.value.value);
          }
        },
        "Program:exit"(node) {
          const message = !names.includes(expected)
            ? `Cannot name the part of ${path}: expected an export "${expected}"`
            : registered !== file
            ? `Cannot name the part of ${path}: expected name "${file}" but received "${registered}"`
            : undefined;
          if (message) context.report({ node, message });
        },
      };
    }),
  },
};
export default plugin;
