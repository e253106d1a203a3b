/**
 * Python's pickle format, protocols 0 to 5, read as plain data. A pickle is a program that calls
 * functions by name; here no name is ever looked up. The few constructors that are allowed build
 * plain values; any other call leaves an inert record of its name and arguments, and the names that
 * only an attack uses are refused.
 *
 * Python's values become: `None` null, `int` a number or bigint, `str` a string, `bytes` a range of
 * the file, `list` an array, `tuple` a frozen array, `dict` a Map, `set` a Set.
 *
 * Source: CPython, Lib/pickletools.py (the meaning of every opcode).
 *
 * @module
 */
import { quote } from "./describe.ts";
import { Cursor, narrow } from "./pickle_cursor.ts";
import { Machine, type UnpickleOptions } from "./pickle_machine.ts";
import type { RandomAccess } from "./random_access.ts";

export type { UnpickleOptions };

const latin1 = new TextDecoder("latin1");

/** `'...'` or `"..."` as `repr` of Python 2 wrote it. */
function unquote(line: string, m: Machine): string {
  const body = /^(['"])(.*)\1$/s.exec(line.trim())?.[2];
  if (body === undefined) throw m.fail("a quoted string", quote(line));
  const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", "0": "\0" };
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|(.))/gs,
    (_, hex, character) =>
      hex ? String.fromCharCode(parseInt(hex, 16)) : escapes[character] ?? character,
  );
}

const rawUnicode = (line: string): string =>
  line.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g,
    (all, short, long) => {
      const point = parseInt(short ?? long, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : all;
    },
  );

function decimal(line: string, m: Machine): number | bigint {
  const digits = line.trim().replace(/L$/, "");
  if (!/^[+-]?\d{1,600}$/.test(digits)) {
    throw m.fail("a decimal integer", quote(line));
  }
  return narrow(BigInt(digits));
}

const refuse = (what: string) => (m: Machine) => {
  throw m.fail("a pickle that is whole in itself", what);
};

const intLine = (m: Machine): unknown => {
  const line = m.cursor.line();
  return line === "00" ? false : line === "01" ? true : decimal(line, m);
};

const floatLine = (m: Machine): number => {
  const line = m.cursor.line().trim();
  if (!/^[+-]?(\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|inf|nan)$/i.test(line)) {
    throw m.fail("a decimal number", quote(line));
  }
  return /inf/i.test(line) ? (line.startsWith("-") ? -Infinity : Infinity) : Number(line);
};

/** What each opcode does, by its character in pickletools; "." (stop) ends the loop. */
const opcodes: Readonly<Record<string, (m: Machine) => void>> = {
  // Constants and numbers
  "N": (m) => m.push(null),
  "\x88": (m) => m.push(true),
  "\x89": (m) => m.push(false),
  "K": (m) => m.push(m.cursor.uint8()),
  "M": (m) => m.push(m.cursor.uint16()),
  "J": (m) => m.push(m.cursor.int32()),
  "\x8a": (m) => m.push(m.cursor.integer(m.cursor.uint8())),
  "\x8b": (m) => m.push(m.cursor.integer(m.cursor.uint32())),
  "G": (m) => m.push(m.cursor.float64()),
  "I": (m) => m.push(intLine(m)),
  "L": (m) => m.push(decimal(m.cursor.line(), m)),
  "F": (m) => m.push(floatLine(m)),
  // Text and bytes
  "X": (m) => m.push(m.cursor.string(m.cursor.uint32())),
  "\x8c": (m) => m.push(m.cursor.string(m.cursor.uint8())),
  "\x8d": (m) => m.push(m.cursor.string(m.cursor.uint64())),
  "V": (m) => m.push(rawUnicode(m.cursor.line())),
  "S": (m) => m.push(unquote(m.cursor.line(), m)),
  "T": (m) => m.push(latin1.decode(m.cursor.raw(m.cursor.uint32()))),
  "U": (m) => m.push(latin1.decode(m.cursor.raw(m.cursor.uint8()))),
  "B": (m) => m.push(m.cursor.bytes(m.cursor.uint32())),
  "C": (m) => m.push(m.cursor.bytes(m.cursor.uint8())),
  "\x8e": (m) => m.push(m.cursor.bytes(m.cursor.uint64())),
  "\x96": (m) => m.push(m.cursor.bytes(m.cursor.uint64())),
  // Containers
  ")": (m) => m.tuple(0),
  "\x85": (m) => m.tuple(1),
  "\x86": (m) => m.tuple(2),
  "\x87": (m) => m.tuple(3),
  "t": (m) => m.push(Object.freeze(m.popMark())),
  "]": (m) => m.push([]),
  "l": (m) => m.push(m.popMark()),
  "a": (m) => m.append([m.pop()]),
  "e": (m) => m.append(m.popMark()),
  "}": (m) => m.push(new Map()),
  "d": (m) => {
    const items = m.popMark();
    m.push(new Map());
    m.setItems(items);
  },
  "s": (m) => {
    const value = m.pop();
    m.setItems([m.pop(), value]);
  },
  "u": (m) => m.setItems(m.popMark()),
  "\x8f": (m) => m.push(new Set()),
  "\x90": (m) => m.addItems(m.popMark()),
  "\x91": (m) => m.push(new Set(m.popMark())),
  // Stack and memo
  "(": (m) => m.marks.push(m.stack.length),
  "0": (m) => {
    if (m.marks.at(-1) === m.stack.length) m.popMark();
    else m.pop();
  },
  "1": (m) => m.popMark(),
  "2": (m) => m.push(m.top()),
  "p": (m) => m.remember(Number(decimal(m.cursor.line(), m))),
  "q": (m) => m.remember(m.cursor.uint8()),
  "r": (m) => m.remember(m.cursor.uint32()),
  "\x94": (m) => m.remember(m.memo.size),
  "g": (m) => m.recall(Number(decimal(m.cursor.line(), m))),
  "h": (m) => m.recall(m.cursor.uint8()),
  "j": (m) => m.recall(m.cursor.uint32()),
  // Names, calls and objects: none of them runs anything
  "c": (m) => {
    const module = m.cursor.line();
    m.mention(module, m.cursor.line());
  },
  "\x93": (m) => {
    const name = m.pop();
    m.mention(m.pop(), name);
  },
  "R": (m) => {
    const args = m.pop();
    m.call(m.pop(), args);
  },
  "\x81": (m) => {
    const args = m.pop();
    m.call(m.pop(), args);
  },
  "\x92": (m) => {
    m.pop(); // keyword arguments
    const args = m.pop();
    m.call(m.pop(), args);
  },
  "i": (m) => {
    const module = m.cursor.line();
    m.mention(module, m.cursor.line());
    const name = m.pop();
    m.call(name, m.popMark());
  },
  "o": (m) => {
    const [name, ...args] = m.popMark();
    m.call(name, args);
  },
  "b": (m) => m.build(),
  "P": (m) => m.refer(m.cursor.line()),
  "Q": (m) => m.refer(m.pop()),
  "\x82": refuse("an extension code"),
  "\x83": refuse("an extension code"),
  "\x84": refuse("an extension code"),
  "\x97": refuse("an out-of-band buffer"),
  "\x98": refuse("an out-of-band buffer"),
  // Framing only helps readers of streams
  "\x95": (m) => {
    const length = m.cursor.uint64();
    m.cursor.expect(length, `a frame of ${length} bytes`);
  },
  "\x80": (m) => {
    const protocol = m.cursor.uint8();
    if (protocol > 5) throw m.fail("pickle protocol 0 to 5", `protocol ${protocol}`);
  },
};
const handlers = Array.from({ length: 256 }, (_, code) => opcodes[String.fromCharCode(code)]);

/**
 * Reads one pickle that starts at `offset`, without running anything of it.
 *
 * The value may contain itself: whoever walks it must not trust it to end.
 *
 * @returns the value, and where the pickle ends
 * @throws {SyntaxError} for anything but one whole pickle, and for names that run code
 */
export function unpickle(
  access: RandomAccess,
  offset: number,
  options: UnpickleOptions = {},
): { readonly value: unknown; readonly end: number } {
  const cursor = new Cursor(access, offset);
  const machine = new Machine(cursor, options);
  for (;;) {
    machine.opcodeAt = cursor.at;
    machine.spend(1);
    const code = cursor.uint8();
    if (code === 0x2e) return { value: machine.pop(), end: cursor.at };
    const handler = handlers[code];
    if (!handler) throw machine.fail("a pickle opcode", `0x${code.toString(16).padStart(2, "0")}`);
    handler(machine);
  }
}
