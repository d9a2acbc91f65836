import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalIn } from './refusal-text.ts';

test('a refusal tells its reason, and an answer of something in between is shown and no failure', () => {
  const of = (text: string) => refusalIn(new TextEncoder().encode(text));
  assert.equal(of('{"error":"sae-taken","message":"another site has it"}'), 'another site has it');
  assert.equal(of('<html>409</html>'), 'no reason is given, but "<html>409</html>"');
  for (const body of ['', 'null', '{"message":7}']) assert.match(of(body), /^no reason is given/);
});
