/// <reference lib="deno.unstable" />
/**
 * What the lint rules of this folder look for: where a file lies, imports, uses of global objects.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url).pathname;

/** The path below the root, or `undefined` outside. */
export function pathOf(filename: string): string | undefined {
  const path = filename.replaceAll("\\", "/").replace(/^(?=[A-Z]:)/, "/");
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : undefined;
}

/** `layers/haar.ts` is of `layers`, `cli.ts` and `cli/help.ts` are of `cli`. */
export function unitOf(path: string): string {
  return path.split("/")[0]!.replace(/\.tsx?$/, "");
}

type Visitor = Deno.lint.LintVisitor;

/** Calls back for every import of a file: static, of types, re-exports and dynamic ones. */
export function visitImports(
  context: Deno.lint.RuleContext,
  found: (specifier: string | undefined, node: Deno.lint.Node, typeOnly: boolean) => void,
): Visitor {
  const literal = (node: Deno.lint.Node) =>
    node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
  return {
    ImportDeclaration: (node) => found(node.source.value, node, node.importKind === "type"),
    ExportAllDeclaration: (node) => found(node.source.value, node, node.exportKind === "type"),
    ExportNamedDeclaration(node) {
      if (node.source) found(node.source.value, node, node.exportKind === "type");
    },
    ImportExpression: (node) => found(literal(node.source), node, false),
    TSImportType(node) {
      const [, specifier] = /import\(\s*["'](.+?)["']/.exec(context.sourceCode.getText(node)) ?? [];
      found(specifier, node, true);
    },
  };
}

/** Reports uses of a global object: members by name, or the object passed on as a value. */
export function visitGlobal(
  name: string,
  found: (member: string | undefined, node: Deno.lint.Node) => void,
): Visitor {
  return {
    Identifier(node) {
      if (node.name !== name) return;
      const { parent } = node;
      if (parent.type === "MemberExpression") {
        const whole = parent.object === node;
        const viaGlobal = !whole && parent.property === node && !parent.computed &&
          parent.object.type === "Identifier" && parent.object.name === "globalThis";
        const use = whole ? parent : viaGlobal ? parent.parent : undefined;
        if (!use) return;
        if (use.type === "MemberExpression") {
          const { property, computed } = use;
          if (property.type === "Identifier" && !computed) found(property.name, use);
          else found(property.type === "Literal" ? String(property.value) : undefined, use);
        } else found(undefined, use);
      } else if (
        parent.type === "VariableDeclarator" && parent.init === node ||
        parent.type === "CallExpression" || parent.type === "SpreadElement" ||
        parent.type === "AssignmentExpression" || parent.type === "ReturnStatement" ||
        parent.type === "Property"
      ) found(undefined, node);
    },
  };
}

/** One visitor of several, each of which may visit the same kinds of node. */
export function join(...visitors: readonly Visitor[]): Visitor {
  const joined: Record<string, (node: never) => void> = {};
  for (const visitor of visitors) {
    for (const [kind, visit] of Object.entries(visitor) as [string, (node: never) => void][]) {
      const earlier = joined[kind];
      joined[kind] = earlier ? (node) => (earlier(node), visit(node)) : visit;
    }
  }
  return joined as Visitor;
}
