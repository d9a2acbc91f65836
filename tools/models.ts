// Checks the protocol models in docs/models: each property must hold, each mutant and control must be seen. Usage:
//   models.ts [part of a name …]     needs Debian's spin with a C compiler, and z3
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const folder = join(import.meta.dirname, '../docs/models');

export type ModelCheck = {
  readonly model: 'round.pml' | 'enrolment.pml' | 'key-establishment.smt2' | 'channel-binding.smt2';
  /** What is switched on in the model. */
  readonly defines: readonly string[];
  /** `holds`: no reachable state breaks it. `fails`: a state does, as it must. */
  readonly expected: 'holds' | 'fails';
  readonly says: string;
};

const spin = (model: 'round.pml' | 'enrolment.pml', mutants: Readonly<Record<string, string>>): ModelCheck[] => [
  { model, defines: [], expected: 'holds', says: 'all properties' },
  ...Object.entries(mutants).map(([define, says]) => ({ model, defines: [define], expected: 'fails', says }) as const),
];

const askedOf =
  (model: ModelCheck['model']) =>
  (expected: ModelCheck['expected'], says: string, ...defines: readonly string[]): ModelCheck => ({
    model,
    defines,
    expected,
    says,
  });
const asked = askedOf('key-establishment.smt2');
const askedOfChannels = askedOf('channel-binding.smt2');

export const modelChecks: readonly ModelCheck[] = [
  ...spin('round.pml', {
    MUTANT_ACK_FIRST: 'mutant: acknowledged before it is on disk',
    MUTANT_NO_DEDUP: 'mutant: a repeated update counts again',
    MUTANT_ANY_ROUND: 'mutant: the round that an update names is not checked',
    MUTANT_TWO_COMMITS: 'mutant: model and journal entry in two transactions',
  }),
  ...spin('enrolment.pml', {
    MUTANT_CHECK_OUTSIDE: 'mutant: the token is looked up outside the transaction only',
    MUTANT_TWO_COMMITS: 'mutant: token and device in two transactions',
    MUTANT_NO_REPEAT: 'mutant: a device whose answer was lost is refused',
  }),
  asked('fails', 'control: the protocol can finish', 'ASK_ALIVE'),
  asked('holds', 'authenticity', 'ASK_AUTHENTICITY'),
  asked('holds', 'no downgrade under "required"', 'ASK_DOWNGRADE'),
  asked('holds', "another's update cannot be taken as one's own", 'ASK_COPYING'),
  asked('holds', 'secrecy', 'ASK_SECRECY'),
  asked(
    'holds',
    'secrecy, ML-KEM and X25519 broken, all signing keys known',
    'ASK_SECRECY',
    'LEAK_ROUND_KEYS',
    'LEAK_SIGNING_KEYS',
  ),
  asked(
    'holds',
    'secrecy, QKD link tapped, all signing keys known',
    'ASK_SECRECY',
    'LEAK_QKD_KEYS',
    'LEAK_SIGNING_KEYS',
  ),
  asked(
    'holds',
    'authenticity, every key but the signing keys known',
    'ASK_AUTHENTICITY',
    'LEAK_QKD_KEYS',
    'LEAK_ROUND_KEYS',
  ),
  asked('fails', 'control: secrecy with both keys known', 'ASK_SECRECY', 'LEAK_QKD_KEYS', 'LEAK_ROUND_KEYS'),
  asked(
    'fails',
    'control: authenticity with signing and QKD keys known',
    'ASK_AUTHENTICITY',
    'LEAK_SIGNING_KEYS',
    'LEAK_QKD_KEYS',
  ),
  asked('fails', 'mutant: signatures without a purpose', 'ASK_AUTHENTICITY', 'LEAK_QKD_KEYS', 'MUTANT_NO_PURPOSE'),
  asked('fails', 'mutant: the round is not signed', 'ASK_AUTHENTICITY', 'MUTANT_ROUND_NOT_SIGNED'),
  asked('fails', 'mutant: the header is no part of the key schedule', 'ASK_COPYING', 'MUTANT_HEADER_NOT_BOUND'),
  asked('fails', 'mutant: any suite is taken', 'ASK_DOWNGRADE', 'MUTANT_ANY_SUITE'),
  asked('fails', 'mutant: announcements are not signed', 'ASK_SECRECY', 'MUTANT_UNSIGNED_ANNOUNCEMENT'),
  askedOfChannels('fails', 'control: sites and the attacker itself are served', 'ASK_ALIVE'),
  askedOfChannels('holds', "no session of a site over somebody else's connection", 'ASK_SESSION'),
  askedOfChannels('holds', "no request under a site's session over somebody else's connection", 'ASK_REQUEST'),
  askedOfChannels('holds', 'no enrolment is passed on', 'ASK_RELAY'),
  askedOfChannels('holds', "no device of the attacker is enrolled under a site's link", 'ASK_THEFT'),
  askedOfChannels('fails', "control: with the device's key a session is opened", 'ASK_SESSION', 'LEAK_DEVICE_KEY'),
  askedOfChannels('fails', 'control: with the link itself a device is enrolled', 'ASK_THEFT', 'LEAK_LINK'),
  askedOfChannels('fails', 'mutant: session proofs name no connection', 'ASK_SESSION', 'MUTANT_NO_BINDING'),
  askedOfChannels('fails', 'mutant: requests name no connection', 'ASK_REQUEST', 'MUTANT_NO_BINDING'),
  askedOfChannels('fails', 'mutant: enrolments name no connection', 'ASK_RELAY', 'MUTANT_NO_BINDING'),
  askedOfChannels('fails', 'mutant: the session itself is sent', 'ASK_REQUEST', 'MUTANT_SESSION_SENT'),
  askedOfChannels('fails', 'mutant: the token of the link is sent', 'ASK_THEFT', 'MUTANT_TOKEN_SENT'),
  askedOfChannels(
    'fails',
    'mutant: a voucher names neither key nor connection',
    'ASK_THEFT',
    'MUTANT_VOUCHER_FOR_ANY_KEY',
    'MUTANT_NO_BINDING',
  ),
  askedOfChannels(
    'holds',
    'a voucher that names the connection alone is not stolen',
    'ASK_THEFT',
    'MUTANT_VOUCHER_FOR_ANY_KEY',
  ),
  askedOfChannels('holds', 'a voucher that names the key alone is not stolen', 'ASK_THEFT', 'MUTANT_NO_BINDING'),
];

/** What the tool says of a model. Throws when it gives no verdict: a model that does not compile proves nothing. */
export function runModel({ model, defines }: ModelCheck): 'holds' | 'fails' {
  const path = join(folder, model);
  return model.endsWith('.pml') ? runSpin(path, defines) : runZ3(preprocess(readFileSync(path, 'utf8'), defines));
}

function runSpin(path: string, defines: readonly string[]): 'holds' | 'fails' {
  const scratch = mkdtempSync(join(tmpdir(), 'qflare-spin-'));
  try {
    const at = { cwd: scratch, encoding: 'utf8', stdio: 'pipe' } as const;
    execFileSync('spin', ['-a', ...defines.map((define) => `-D${define}`), path], at);
    execFileSync('cc', ['-w', '-DSAFETY', '-o', 'pan', 'pan.c'], at);
    const { stdout } = spawnSync('./pan', ['-m1000000', '-E'], at);
    const errors = /errors: (\d+)/.exec(stdout)?.[1];
    if (errors === undefined || stdout.includes('max search depth too small')) {
      throw new Error(`Cannot judge ${path} as the search must be complete: it printed ${stdout.slice(0, 300)}`);
    }
    return errors === '0' ? 'holds' : 'fails';
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function runZ3(text: string): 'holds' | 'fails' {
  const { stdout } = spawnSync('z3', ['-in'], { input: text, encoding: 'utf8' });
  const verdict = stdout.trim();
  if (verdict.startsWith('unsat')) return 'holds';
  if (verdict.startsWith('sat')) return 'fails';
  throw new Error(`Cannot judge the model as z3 must answer sat or unsat: it printed ${stdout.slice(0, 300)}`);
}

/** `#ifdef NAME`, `#else`, `#endif`, each on a line of its own; they nest. */
export function preprocess(text: string, defines: readonly string[]): string {
  const stack: boolean[] = [];
  return text
    .split('\n')
    .filter((line) => {
      const [, word, name] = /^#(ifdef|else|endif)\s*(\w*)$/.exec(line.trim()) ?? [];
      if (word === 'ifdef') stack.push(defines.includes(name!));
      else if (word === 'else') stack.push(!stack.pop()!);
      else if (word === 'endif') stack.pop();
      else return stack.every(Boolean);
      return false;
    })
    .join('\n');
}

if (import.meta.main) {
  const parts = process.argv.slice(2);
  let wrong = 0;
  for (const check of modelChecks) {
    const name = `${check.model}: ${check.says}`;
    if (parts.length > 0 && !parts.some((part) => name.includes(part))) continue;
    const verdict = runModel(check);
    const isRight = verdict === check.expected;
    if (!isRight) wrong += 1;
    process.stdout.write(`${isRight ? '✓' : '✗'} ${verdict.padEnd(5)} ${name}\n`);
  }
  process.stdout.write(
    wrong === 0 ? 'These properties of these models, nothing more.\n' : `${wrong} are not as expected\n`,
  );
  process.exitCode = wrong === 0 ? 0 : 1;
}
