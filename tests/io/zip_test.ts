import assert from "node:assert/strict";
import { bytesAccess } from "../../io/random_access.ts";
import { readZip } from "../../io/zip.ts";
import { joinBytes, type Member, writeZip } from "./zip_writer.ts";

const bytes = new TextEncoder().encode("some words, some words, some words");
const read = (archive: Uint8Array) => readZip(bytesAccess(archive, "x.zip"));
const contentOf = (archive: Uint8Array, name: string) => {
  const access = read(archive).get(name)!.open();
  return access.read(0, access.size);
};

for (const wide of [false, true]) {
  Deno.test(`readZip() reads stored and deflated members${wide ? " of zip64" : ""}`, () => {
    const archive = writeZip([
      { name: "a/stored", bytes, wide },
      { name: "a/", bytes: new Uint8Array(0) },
      { name: "a/deflated", bytes, deflate: true, wide },
      { name: "empty", bytes: new Uint8Array(0), wide },
    ], { zip64: wide });
    assert.deepEqual([...read(archive).keys()], ["a/stored", "a/deflated", "empty"]);
    assert.deepEqual(contentOf(archive, "a/stored"), bytes);
    assert.deepEqual(contentOf(archive, "a/deflated"), bytes);
    assert.equal(contentOf(archive, "empty").length, 0);
  });
}

Deno.test("readZip() finds the directory before a comment", () => {
  const archive = joinBytes([writeZip([{ name: "a", bytes }]), Uint8Array.of(80, 75, 5, 6, 0)]);
  archive[archive.length - 5 - 2] = 5; // the comment's length
  assert.deepEqual(contentOf(archive, "a"), bytes);
});

const hostile: Record<string, { members: Member[]; count?: number; size?: number; error: RegExp }> =
  {
    "an absolute name": {
      members: [{ name: "/etc/passwd", bytes }],
      error:
        /^Cannot read "x\.zip" at byte \d+: expected a member's name inside the archive but received "\/etc\/passwd"$/,
    },
    "a name that climbs": {
      members: [{ name: "a/../../b", bytes }],
      error: /expected a member's name inside the archive but received "a\/\.\.\/\.\.\/b"$/,
    },
    "a name with a drive": {
      members: [{ name: "C:\\x", bytes }],
      error: /expected a member's name inside the archive but received "C:\\\\x"$/,
    },
    "an empty name": {
      members: [{ name: "", bytes }],
      error: /inside the archive but received ""$/,
    },
    "two members of one name": {
      members: [{ name: "a", bytes }, { name: "a", bytes }],
      error: /expected each member once but received "a" twice$/,
    },
    "another name in the member's header": {
      members: [{ name: "a", localName: "b", bytes }],
      error: /at byte 0: expected the header of "a" but received something else$/,
    },
    "members over each other": {
      members: [{ name: "a", bytes }, { name: "b", bytes, header: 0 }],
      error: /expected ".*" apart but received an overlap$|expected the header of/,
    },
    "a bomb by its directory": {
      members: [{ name: "a", bytes, deflate: true, size: 2 ** 31 }],
      error:
        /expected members of at most 100 times the size of the archive but received 2147483648 bytes from \d+$/,
    },
    "a member that is longer than it says": {
      members: [{ name: "a", bytes, deflate: true, size: 5 }],
      error: /expected "a" to unpack to 5 bytes but received a damaged member$/,
    },
    "a member that is shorter than it says": {
      members: [{ name: "a", bytes, deflate: true, size: 50 }],
      error: /expected "a" of 50 bytes but received 34 bytes$/,
    },
    "a member that is not what it was": {
      members: [{ name: "a", bytes, crc: 1 }],
      error:
        /expected the bytes of "a" to have checksum 1 but received [0-9a-f]+, so the file is damaged$/,
    },
    "an unknown method": {
      members: [{ name: "a", bytes, method: 12 }],
      error: /expected "a" stored or deflated but received method 12$/,
    },
    "an encrypted member": {
      members: [{ name: "a", bytes, flags: 1 }],
      error: /expected members that are not encrypted but received "a"$/,
    },
    "more members than it has": {
      members: [{ name: "a", bytes }],
      count: 2,
      error: /expected directory entry 2 of 2 but received other bytes$/,
    },
    "a directory without end": {
      members: [{ name: "a", bytes }],
      size: 2 ** 30,
      error:
        /expected a directory of at most 100000 members and 16777216 bytes but received 1 members and 1073741824 bytes$/,
    },
    "a directory beyond the end": {
      members: [{ name: "a", bytes }],
      size: 2 ** 20,
      error: /expected 1048576 more bytes but received \d+ bytes$/,
    },
  };

for (const [name, { members, error, ...end }] of Object.entries(hostile)) {
  Deno.test(`readZip() refuses ${name}`, () => {
    const archive = writeZip(members, end);
    const all = () => read(archive).forEach((member) => member.open());
    assert.throws(all, { name: "SyntaxError", message: error });
  });
}

Deno.test("readZip() refuses every cut", () => {
  const archive = writeZip([{ name: "a", bytes }, { name: "b", bytes, deflate: true }]);
  for (let length = 0; length < archive.length; length++) {
    assert.throws(() => read(archive.subarray(0, length)), SyntaxError);
  }
});

Deno.test("readZip() takes a checksum of zero for none", () => {
  assert.deepEqual(contentOf(writeZip([{ name: "a", bytes, crc: 0 }]), "a"), bytes);
});
