/** Why a key of the coordinator is revoked; the names are those of RFC 5280, section 5.3.1. */
export const keyRevocationReasons = ['keyCompromise', 'superseded', 'cessationOfOperation'] as const;

/** Why a certificate is. */
export const revocationReasons = [...keyRevocationReasons, 'privilegeWithdrawn'] as const;
