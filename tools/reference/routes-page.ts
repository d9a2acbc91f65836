// docs/reference/routes.md, from the routes that the server registers.
import { createNodeCrypto } from '../../src/adapters/crypto-node.ts';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import type { Coordinator } from '../../src/coordinator/coordinator.ts';
import type { Role } from '../../src/coordinator/http/routes.ts';
import { createServer } from '../../src/coordinator/http/server.ts';
import type { CoordinatorParts } from '../../src/coordinator/parts.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { readFiles, repositoryRoot } from '../gates/source-files.ts';
import { code, page, table } from './markdown.ts';

const opening = `One port, HTTPS, TLS 1.3 with \`X25519MLKEM768\` only. Every route has one role, which the server checks before the handler
runs; a test goes through the list and sees each route refuse those who do not have it. Bodies are JSON of at most 64 KiB,
except contributions, which are [envelopes](wire-format.md) with a \`content-length\`. An error is a status and \`{ "error": CODE, "message": … }\`.`;

const roles: Readonly<Record<Role, string>> = {
  public: 'anybody; what is sent proves itself (a token and a signature, a signed challenge)',
  device:
    "`Authorization: Bearer …` with a proof of a device's session for this connection: 12 hours at most, in memory only, gone with a restart",
  owner:
    "`Authorization: Bearer …` with a proof of the owner token for this connection; the token lies sealed in `keys/` of the coordinator's folder",
};

/** Every route with its role, and every error that a handler answers with. */
export async function routesPage(): Promise<string> {
  const routes = await listedRoutes();
  return page('Routes', '`src/coordinator/http`', [
    opening,
    table(
      ['role', 'who'],
      Object.entries(roles).map(([role, who]) => [code(role), who]),
    ),
    table(
      ['method', 'path', 'role', 'what'],
      routes.map(({ method, url, role, summary }) => [method, code(url), code(role), summary]),
    ),
    'There is no other route: anything else is answered with 404.',
    '## Errors',
    'Beside the [refusal codes](refusal-codes.md) of contributions:',
    table(['status', 'code', 'given in'], errors()),
  ]);
}

/** The server is made and never listens; what its handlers would need is not there. */
async function listedRoutes() {
  const plan = parsePlan({ model: { kind: 'softmax-regression', inputs: 1, classes: 2 } });
  const parts = { plan, crypto: createNodeCrypto(), orgId: ':orgId', runId: ':runId', pin: '' };
  const { app, routes } = createServer({} as Coordinator, parts as unknown as CoordinatorParts, {
    tls: await createServerIdentity(['localhost'], Date.now()),
    ownerToken: () => undefined,
    linkOf: () => '',
  });
  await app.close();
  return routes;
}

function errors(): readonly (readonly string[])[] {
  const found = readFiles(repositoryRoot, ['src/coordinator/http/*.ts']).flatMap(({ path, source }) =>
    [...source.matchAll(/new HttpError\(\s*(\d{3}),\s*'([a-z-]+)'/g)].map(([, status, id]) => ({ status, id, path })),
  );
  const keys = [...new Set(found.map(({ status, id }) => `${status} ${id}`))].sort();
  return keys.map((key) => {
    const [status, id] = key.split(' ') as [string, string];
    const files = new Set(found.filter((one) => `${one.status} ${one.id}` === key).map(({ path }) => path));
    return [status, code(id), [...files].map((path) => `[${path.split('/').at(-1)}](../../${path})`).join(', ')];
  });
}
