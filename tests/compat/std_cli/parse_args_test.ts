/**
 * What `parseArgs` of `@std/cli` does with arguments that this project may meet. The import is the
 * public one: with the line `workspace` removed from deno.json, the table runs against JSR's.
 */
import { parseArgs, type ParseOptions } from "@std/cli/parse-args";
import assert from "node:assert/strict";

type Row = readonly [criterion: string, args: string, options: ParseOptions, expected: unknown];

const TABLE: readonly Row[] = [
  ["gives an empty list for no arguments", "", {}, { _: [] }],
  ["reads a flag alone as true", "--a -b", {}, { a: true, b: true, _: [] }],
  ["reads the next argument as the value", "--a x -b y z", {}, { a: "x", b: "y", _: ["z"] }],
  ["reads a value after =", "--a=x -b=y", {}, { a: "x", b: "y", _: [] }],
  ["keeps a second = in the value", "--set=a=b -s=c=d", {}, { set: "a=b", s: "c=d", _: [] }],
  ["leaves an empty = in the name", "--a= x", {}, { "a=": "x", _: [] }],
  ["reads numbers", "--a 1 --b -c=2.5 --d 1e-3 --e 0xff 7 --f 7k", {}, {
    a: 1,
    b: true,
    c: 2.5,
    d: 0.001,
    e: 255,
    f: "7k",
    _: [7],
  }],
  ["does not take an argument that starts with - as a value", "--a -1", {}, {
    a: true,
    1: true,
    _: [],
  }],
  ["takes a lone - after a short flag only", "-a - --b -", {}, { a: "-", b: true, _: ["-"] }],
  ["splits a group of short flags", "-abc x", {}, { a: true, b: true, c: "x", _: [] }],
  ["lets the last of two values win", "--a 1 --a 2", {}, { a: 2, _: [] }],
  ["puts what follows -- into _", "--a -- --b 5", {}, { a: true, _: ["--b", "5"] }],
  ["puts what follows -- apart on request", "x -- --b 5", { "--": true }, {
    _: ["x"],
    "--": ["--b", "5"],
  }],
  ["makes an empty -- on request", "x", { "--": true }, { _: ["x"], "--": [] }],
  ["reads the rest unread with stopEarly", "--a run --b 5", { boolean: "a", stopEarly: true }, {
    a: true,
    _: ["run", "--b", "5"],
  }],

  ["keeps a string as it is", "--a 007 -b 1e3", { string: ["a", "b"] }, {
    a: "007",
    b: "1e3",
    _: [],
  }],
  ["gives an empty string without a value", "--a -b", { string: ["a", "b"] }, {
    a: "",
    b: "",
    _: [],
  }],
  ["gives an empty string before another flag", "--a --b 1", { string: "a" }, {
    a: "",
    b: 1,
    _: [],
  }],
  ["leaves an absent string out", "", { string: "a" }, { _: [] }],
  ["keeps other arguments text with _", "7 0x1", { string: "_" }, { _: ["7", "0x1"] }],

  ["sets an absent boolean to false", "", { boolean: ["a", "b"] }, { a: false, b: false, _: [] }],
  ["takes no value for a boolean", "--a x -b y", { boolean: ["a", "b"] }, {
    a: true,
    b: true,
    _: ["x", "y"],
  }],
  ["takes true and false for a boolean", "--a false -b true", { boolean: ["a", "b"] }, {
    a: false,
    b: true,
    _: [],
  }],
  ["reads = of a boolean", "--a=false --b=true --c=no", { boolean: ["a", "b", "c"] }, {
    a: false,
    b: true,
    c: true,
    _: [],
  }],

  ["uses defaults", "--a 1", { default: { a: 5, b: 6, c: null } }, { a: 1, b: 6, c: null, _: [] }],
  ["uses the default of a boolean", "", { boolean: "a", default: { a: true } }, { a: true, _: [] }],

  [
    "sets every alias",
    "-h --zoom 5",
    { boolean: "help", alias: { h: "help", z: ["zoom", "zm"] } },
    {
      h: true,
      help: true,
      z: 5,
      zoom: 5,
      zm: 5,
      _: [],
    },
  ],
  ["gives aliases the kind of the flag", "-s 05", { string: "str", alias: { str: "s" } }, {
    s: "05",
    str: "05",
    _: [],
  }],
  ["gives aliases the default", "", { alias: { a: "b" }, default: { a: 1 } }, {
    a: 1,
    b: 1,
    _: [],
  }],

  ["collects strings", "--a 1 --a=2", { string: "a", collect: "a" }, { a: ["1", "2"], _: [] }],
  ["collects under aliases", "-a x --all y", {
    string: "all",
    collect: "all",
    alias: { all: "a" },
  }, { a: ["x", "y"], all: ["x", "y"], _: [] }],
  ["collects booleans", "--a --a=false", { boolean: "a", collect: "a" }, {
    a: [true, false],
    _: [],
  }],
  ["collects nothing into an empty list", "", { string: "a", boolean: "b", collect: ["a", "b"] }, {
    a: [],
    b: [],
    _: [],
  }],
  ["collects a flag of no kind", "--a 1 --a x", { collect: "a" }, { a: [1, "x"], _: [] }],

  ["negates", "--no-a --no-b", { boolean: ["a", "b"], negatable: "a" }, {
    a: false,
    b: false,
    "no-b": true,
    _: [],
  }],
  ["negates a string", "--no-a", { string: "a", negatable: "a" }, { a: false, _: [] }],
  ["lets the last of a flag and its negation win", "--no-a --a", {
    boolean: "a",
    negatable: "a",
  }, { a: true, _: [] }],
  ["starts a list anew after a negation", "--a 1 --no-a --a 2", {
    string: "a",
    collect: "a",
    negatable: "a",
  }, { a: ["2"], _: [] }],
];

for (const [criterion, args, options, expected] of TABLE) {
  Deno.test(`parseArgs() ${criterion}`, () => {
    const parsed: Record<string, unknown> = parseArgs(args.split(" ").filter(Boolean), options);
    assert.deepEqual({ ...parsed }, expected);
  });
}

Deno.test("parseArgs() shows unknown what the options do not name and drops what it refuses", () => {
  const seen: unknown[] = [];
  const parsed = parseArgs(["run", "--known", "x", "--oops=1", "-q", "7"], {
    string: "known",
    unknown: (...all) => {
      seen.push(all);
      return false;
    },
  });
  assert.deepEqual(seen, [["run"], ["--oops=1", "oops", "1"], ["-q", "q", "7"]]);
  assert.deepEqual({ ...parsed }, { known: "x", _: [] });
});

Deno.test("parseArgs() takes an empty argument for no value", () => {
  assert.deepEqual({ ...parseArgs(["--a", ""], { string: "a" }) }, { a: "", _: [""] });
});

Deno.test("parseArgs() types the flags that its options name", () => {
  const parsed = parseArgs(["--steps", "5"], {
    string: ["steps", "set"],
    boolean: ["help"],
    collect: ["set"],
    default: { seed: 1 },
    alias: { help: "h" },
  });
  const steps: string | undefined = parsed.steps;
  const help: boolean = parsed.help;
  const set: string[] = parsed.set;
  const rest: (string | number)[] = parsed._;
  // @ts-expect-error: a string flag is not a number
  const wrong: number | undefined = parsed.steps;
  assert.deepEqual([steps, help, set, rest, wrong], ["5", false, [], [], "5"]);
});
