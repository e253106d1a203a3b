import assert from "node:assert/strict";
import { ownComplaints } from "../../tools/doc_lint.ts";

const REPORT = `error[missing-jsdoc]: exported symbol is missing JSDoc documentation
  --> /home/me/haarlem/core/x.ts:3:1
   |
3 | export const x = 1;
   | ^


error[missing-jsdoc]: exported symbol is missing JSDoc documentation
   --> /home/me/.cache/deno/npm/y.d.ts:30:1
   |


error[private-type-ref]: public type 'A' references private type 'Tensor4D'
 --> /home/me/haarlem/mod.ts:1:2
  | ^


error[private-type-ref]: public type 'A' references private type 'B'
 --> /home/me/haarlem/mod.ts:1:2
  | ^

error: Found 3 documentation lint errors.
`;

Deno.test("ownComplaints() keeps the faults of files below the root", () => {
  assert.deepEqual(
    ownComplaints(REPORT, "/home/me/haarlem/").map((complaint) => complaint.split("\n")[0]),
    [
      "error[missing-jsdoc]: exported symbol is missing JSDoc documentation",
      "error[private-type-ref]: public type 'A' references private type 'B'",
    ],
  );
  assert.deepEqual(ownComplaints(REPORT, "/elsewhere/"), []);
  assert.doesNotMatch(ownComplaints(REPORT, "/home/me/haarlem/").at(-1)!, /Found/);
});
