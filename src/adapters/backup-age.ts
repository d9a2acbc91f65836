import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from 'age-encryption';

/** A backup cannot be sealed or opened: the recipient is no post-quantum one, or the identity is another. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** Makes who can open backups: an identity to keep away from the coordinator, and the recipient to seal to. */
export async function generateBackupIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateHybridIdentity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** Seals bytes to a recipient in age format: ML-KEM-768 with X25519, ChaCha20-Poly1305 in chunks. */
export async function sealBackup(bytes: Uint8Array, recipient: string): Promise<Uint8Array> {
  if (!recipient.startsWith('age1pq1')) {
    throw new BackupError('Cannot seal the backup as --recipient must be post-quantum (age1pq1…): it is another');
  }
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new BackupError('Cannot seal the backup as --recipient must be whole; was it cut when it was copied?', {
      cause,
    });
  }
  return encrypter.encrypt(bytes);
}

/** Opens a backup; nothing of one that was changed or cut is given. */
export async function openBackup(sealed: Uint8Array, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
    return await decrypter.decrypt(sealed);
  } catch (cause) {
    throw new BackupError('Cannot open the backup: the identity is another, or the file was changed or cut', { cause });
  }
}
