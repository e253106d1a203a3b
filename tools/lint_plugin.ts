/// <reference lib="deno.unstable" />
/**
 * Rules of our own for `deno lint`: habits of CONTRIBUTING.md that a machine can hold.
 *
 * @module
 */
import { pathOf, unitOf } from "./lint_visitors.ts";

/** Where code is traced: pure functions of tensors. */
const TRACED = ["layers", "networks", "losses", "plugins"];
/** Not the product. */
const FREE = ["tests", "bench", "tools", "compat"];

/** Methods of tensors whose names no array, map or string has. */
const TENSOR_METHOD =
  /^(?:abs|as[1-4]D|asScalar|asType|avgPool|batchNorm|cast|clipByValue|conv2d(?:Transpose)?|cumsum|depthToSpace|depthwiseConv2d|div|divNoNan|exp|expandDims|gather|leakyRelu|matMul|maxPool|mean|mul|neg|norm|pow|prelu|reciprocal|relu6?|reshape|resizeBilinear|resizeNearestNeighbor|rsqrt|sigmoid|softmax|softplus|sqrt|square|squaredDifference|squeeze|stridedSlice|sub|sum|tanh|tile|toBool|toFloat|toInt|transpose|unstack)$/;
const READING_METHOD =
  /^(?:data|dataSync|array|arraySync|bytes|bytesSync|buffer|bufferSync|print)$/;

/** Gives `tf.leakyRelu` the derivatives that it lacks. */
const ACTIVATION = "layers/activation.ts";

/** Operations of tfjs that have no derivative of the second order, or no rule in the engine. */
const BLOCKED_OP: Readonly<Record<string, string>> = {
  image: "resample() of layers/resample.ts, which has derivatives of any order",
  leakyRelu: "leakyRelu() of layers/activation.ts, which has derivatives of any order",
  prelu: "leakyRelu() of layers/activation.ts, which has derivatives of any order",
  relu: "leakyRelu(x, 0) of layers/activation.ts, which has derivatives of any order",
  relu6: "leakyRelu(x, 0) of layers/activation.ts, which has derivatives of any order",
  variable: "parameters given as an argument",
};

/** The constant text of a message: pieces, with a gap where a value is put in. */
function piecesOf(node: Deno.lint.Node): string[] | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? [node.value] : undefined;
  if (node.type === "TemplateLiteral") return node.quasis.map(({ cooked }) => cooked ?? "");
  if (node.type === "BinaryExpression" && node.operator === "+") {
    const [left, right] = [piecesOf(node.left), piecesOf(node.right)];
    if (!left && !right) return undefined;
    return [...left ?? [""], ...right ?? [""]];
  }
  return undefined;
}

/** What is wrong with the words of an error, if anything is; its start may be in a variable. */
function grammarFault(pieces: readonly string[], path: string): string | undefined {
  const text = pieces.join("…");
  // A kernel's rule says what it expected; the tracer says of which kernel, with its own "Cannot".
  const isRest = path.startsWith("engine/") && text.startsWith("expected ");
  if (pieces[0] && !isRest && !/^Cannot [a-z]/.test(text)) {
    return 'expected "Cannot <verb> <what>: ..."';
  }
  if (/[.!]$/.test(text) && !text.endsWith("...")) return "expected no full stop at the end";
  if (/[a-z"][.!] +[A-Z]/.test(text)) return "expected one sentence";
  return undefined;
}

/** A rule for some of the files. */
function rule(
  applies: (path: string) => boolean,
  create: (context: Deno.lint.RuleContext, path: string) => Deno.lint.LintVisitor,
): Deno.lint.Rule {
  return {
    create(context) {
      const path = pathOf(context.filename);
      return path !== undefined && applies(path) ? create(context, path) : {};
    },
  };
}

const isTraced = (path: string) => TRACED.includes(unitOf(path)) && !path.includes("_test.");
const isProduct = (path: string) => !FREE.includes(unitOf(path));

const plugin: Deno.lint.Plugin = {
  name: "haarlem",
  rules: {
    /** tfjs by functions: chained methods hang on an import that only has side effects. */
    "no-tensor-methods": rule(isTraced, (context) => ({
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== "MemberExpression" || callee.computed) return;
        const { object, property } = callee;
        if (property.type !== "Identifier" || !TENSOR_METHOD.test(property.name)) return;
        if (object.type === "Identifier" && /^(?:tf|Math)$/.test(object.name)) return;
        const { name } = property;
        const message = `Cannot call .${name}() here: expected tf.${name}(x, ...)`;
        context.report({ node, message });
      },
    })),

    /** A traced function has no data to read. */
    "no-data-reading": rule((path) => /^(?:layers|losses)\//.test(path), (context) => ({
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== "MemberExpression" || callee.computed) return;
        const { object, property } = callee;
        if (property.type !== "Identifier" || !READING_METHOD.test(property.name)) return;
        if (object.type === "Identifier" && object.name === "tf") return;
        const message =
          `Cannot call .${property.name}() here: expected tensor operations only, since the function is traced`;
        context.report({ node, message });
      },
    })),

    /** Parts go through R1 and path lengths, which differentiate twice. */
    "no-blocked-op": rule((path) => isTraced(path) && path !== ACTIVATION, (context) => ({
      MemberExpression(node) {
        const { object, property } = node;
        if (object.type !== "Identifier" || object.name !== "tf") return;
        if (property.type !== "Identifier" || !Object.hasOwn(BLOCKED_OP, property.name)) return;
        const message = `Cannot use tf.${property.name} here: expected ${
          BLOCKED_OP[property.name]
        }`;
        context.report({ node, message });
      },
    })),

    /** `Cannot <verb> <what>: expected <rule> but received <value>`, one sentence, no full stop. */
    "error-grammar": rule(isProduct, (context, path) => ({
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || !node.callee.name.endsWith("Error")) return;
        const [first] = node.arguments;
        const pieces = first && piecesOf(first);
        const fault = pieces && grammarFault(pieces, path);
        if (fault) context.report({ node: first, message: `Cannot word an error so: ${fault}` });
      },
    })),

    /** Files are named for what they export. */
    "file-name": rule(() => true, (context, path) => ({
      Program(node) {
        const name = path.split("/").at(-1)!.replace(/\.tsx?$/, "");
        const vague = /^(?:utils?|helpers?|misc|common|index)$/.test(name);
        if (!vague && /^[a-z0-9]+(?:_[a-z0-9]+)*$/.test(name)) return;
        const message = `Cannot name a file "${name}": expected snake_case that says what it is`;
        context.report({ node, message });
      },
    })),

    /** A name is the same everywhere; only plugins have none of their own. */
    "no-default-export": rule(
      (path) => !/^plugins\/|(?:_plugin|\.config)\.ts$/.test(path) && isProduct(path),
      (context) => ({
        ExportDefaultDeclaration(node) {
          const message = "Cannot export a default here: expected a name";
          context.report({ node, message });
        },
      }),
    ),

    /** Exported functions are hoisted, named in stack traces and read as functions. */
    "no-exported-arrow": rule(isProduct, (context) => ({
      "ExportNamedDeclaration > VariableDeclaration > VariableDeclarator"(
        node: Deno.lint.VariableDeclarator,
      ) {
        if (node.init?.type !== "ArrowFunctionExpression") return;
        const message = "Cannot export an arrow function: expected export function";
        context.report({ node, message });
      },
    })),
  },
};
export default plugin;
