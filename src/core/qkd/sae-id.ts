/**
 * Where a client certificate names its SAE. `common-name`: its one CN. `san-uri`: its one URI `sae:ID` among the alternative
 * names. One rule for an entity; there is no other place to look when it finds nothing.
 */
export const saeRules = ['common-name', 'san-uri'] as const;

export type SaeRule = (typeof saeRules)[number];

/** What of a certificate the rules read: forms of Node. */
export type NamedCertificate = {
  readonly subject?: { readonly CN?: unknown } | undefined;
  readonly subjectaltname?: string | undefined;
};

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * The SAE id that a certificate names under a rule; undefined where it names none, more than one, or one of other letters.
 *
 * Promises: alternative names that had to be quoted, as somebody put separators into them, name nobody.
 */
export function saeIdOf(rule: SaeRule, { subject, subjectaltname }: NamedCertificate): string | undefined {
  if (rule === 'common-name') return checked(subject?.CN);
  if (subjectaltname === undefined || subjectaltname.includes('"')) return undefined;
  const uris = subjectaltname.split(', ').filter((name) => name.startsWith('URI:sae:'));
  return uris.length === 1 ? checked(uris[0]!.slice('URI:sae:'.length)) : undefined;
}

/** Several common names are an array in Node: they name nobody. */
function checked(id: unknown): string | undefined {
  return typeof id === 'string' && idPattern.test(id) ? id : undefined;
}
