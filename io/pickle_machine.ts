/**
 * The stack machine that a pickle drives, with the one change that matters: a call builds an
 * allowed plain value or leaves an inert record, and never runs anything.
 *
 * @module
 */
import { quote } from "./describe.ts";
import type { Cursor } from "./pickle_cursor.ts";
import {
  describeValue,
  inert,
  isGlobal,
  isObject,
  type PickleConstructor,
  pythonConstructors,
} from "./pickle_values.ts";

/** What a pickle may build beside Python's own containers. */
export interface UnpickleOptions {
  /** By name, as in `PickleGlobal`. */
  readonly constructors?: ReadonlyMap<string, PickleConstructor>;
  /** Resolves a persistent id: how PyTorch refers to storages outside of the pickle. */
  readonly persistent?: PickleConstructor;
  /** Most opcodes and copied items. Default: 1,000,000; checkpoints have some 15,000. */
  readonly maximumOperations?: number;
}

/** Modules whose functions run code, reach the system or the network: no weights need them. */
const refusedModules = new Set(
  "asyncio bdb builtin code commands ctypes fcntl ftplib http httplib importlib imp inspect io marshal mmap multiprocessing nt ntpath operator os pdb pickle pip pkgutil platform posix posixpath profile pty runpy select shutil signal site smtplib socket socketserver ssl subprocess sys tempfile threading timeit trace urllib urllib2 webbrowser winreg zipimport _io _pickle _posixsubprocess _thread"
    .split(" "),
);
const refusedBuiltins = new Set(
  "__import__ apply breakpoint compile delattr eval exec execfile exit file getattr globals help input locals memoryview open property quit raw_input reload setattr super vars"
    .split(" "),
);

/** Python 2's names of modules that moved. */
const builtinModules = new Set(["builtins", "__builtin__"]);

const defaultMaximumOperations = 1_000_000;
const charactersPerOperation = 16;

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map || value instanceof Set) return value.size;
  return typeof value === "string" ? Math.ceil(value.length / charactersPerOperation) : 0;
}

/** The stack machine that a pickle drives. */
export class Machine {
  readonly stack: unknown[] = [];
  readonly marks: number[] = [];
  readonly memo = new Map<number, unknown>();
  /** Where the current opcode stands. */
  opcodeAt = 0;
  #operations = 0;

  constructor(readonly cursor: Cursor, readonly options: UnpickleOptions) {}

  fail = (expected: string, received: string): SyntaxError =>
    this.cursor.fail(expected, received, this.opcodeAt);

  /** Counts work, so that a small file cannot keep the reader busy or fill the memory. */
  spend(operations: number): void {
    const { maximumOperations = defaultMaximumOperations } = this.options;
    this.#operations += operations;
    if (this.#operations > maximumOperations) {
      throw this.fail(`a pickle of at most ${maximumOperations} operations`, "more");
    }
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) {
      throw this.fail("a value on the pickle's stack", "an empty stack");
    }
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  popMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.fail("a mark on the pickle's stack", "none");
    return this.stack.splice(mark);
  }

  tuple(length: number): void {
    const items = Array.from({ length }, () => this.pop()).reverse();
    this.push(Object.freeze(items));
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw this.fail(`a remembered value ${index}`, "none");
    this.push(this.memo.get(index));
  }

  mention(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") {
      throw this.fail("a module and a name", `${describeValue(module)} and ${describeValue(name)}`);
    }
    const isBuiltin = builtinModules.has(module);
    const root = module.split(".")[0]!;
    const refused = isBuiltin ? refusedBuiltins.has(name.split(".")[0]!) : refusedModules.has(root);
    if (refused) {
      throw this.fail(
        "names that weights need",
        `${quote(`${module} ${name}`)}, which could run code; nothing was run`,
      );
    }
    this.push({ kind: "global", name: `${isBuiltin ? "builtins" : module} ${name}` });
  }

  call(callee: unknown, args: unknown): void {
    if (!Array.isArray(args)) throw this.fail("a tuple of arguments", describeValue(args));
    if (!isGlobal(callee)) {
      // A call of something that was built: a bound method, a partial function. Kept as a record.
      this.push(inert(isObject(callee) ? callee.name : "a value", args));
      return;
    }
    for (const arg of args) this.spend(sizeOf(arg)); // a constructor may copy its arguments
    const { name } = callee;
    const build = pythonConstructors.get(name) ?? this.options.constructors?.get(name);
    const newObject = name === "copyreg _reconstructor" || name === "copy_reg _reconstructor" ||
      name === "copyreg __newobj__";
    if (newObject && isGlobal(args[0])) this.push(inert(args[0].name, args.slice(1)));
    else this.push(build ? build(args, this.fail) : inert(name, args));
  }

  build(): void {
    const state = this.pop();
    const target = this.top();
    // Attributes of built values (`_metadata` of a state dict, say) carry no weights.
    if (isObject(target)) target.state = state;
  }

  append(items: readonly unknown[]): void {
    const target = this.top();
    if (isObject(target)) appendAll(target.items, items);
    else if (Array.isArray(target) && !Object.isFrozen(target)) appendAll(target, items);
    else throw this.fail("a list to append to", describeValue(target));
  }

  setItems(items: readonly unknown[]): void {
    const target = this.top();
    const map = isObject(target) ? target.entries : target;
    if (!(map instanceof Map)) throw this.fail("a dict to fill", describeValue(target));
    if (items.length % 2) throw this.fail("keys and values in pairs", `${items.length} values`);
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  addItems(items: readonly unknown[]): void {
    const target = this.top();
    if (isObject(target)) appendAll(target.items, items);
    else if (target instanceof Set) items.forEach((item) => target.add(item));
    else throw this.fail("a set to fill", describeValue(target));
  }

  refer(id: unknown): void {
    if (!this.options.persistent) {
      throw this.fail("no persistent id in this file", describeValue(id));
    }
    this.push(this.options.persistent([id], this.fail));
  }
}

function appendAll(target: unknown[], items: readonly unknown[]): void {
  for (const item of items) target.push(item);
}
