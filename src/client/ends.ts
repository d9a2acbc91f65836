/** The coordinator refused this site for good. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** The coordinator speaks another version of the protocol: there is no path to an older one. */
export class VersionError extends Error {
  override readonly name = 'VersionError';

  constructor(found: string) {
    super(
      `Cannot take part as the coordinator must speak version 1 of the protocol: ${found}; bring both to one release of QFLARE`,
    );
  }
}

/** The site's own trainer does not work. */
export class TrainerError extends Error {
  override readonly name = 'TrainerError';
}
