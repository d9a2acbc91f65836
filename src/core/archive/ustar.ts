/** A file of an archive: its name with forward slashes, and its bytes. */
export type ArchiveFile = { readonly name: string; readonly bytes: Uint8Array };

const blockBytes = 512;
const nameBytesMax = 100;

/**
 * Writes files as a tar archive that any tar reads.
 *
 * Errors: RangeError on a name that is longer than 100 bytes, absolute, or climbs out of its folder.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format". Modes are 0600, times and owners zero: equal files, equal bytes.
 */
export function encodeArchive(files: readonly ArchiveFile[]): Uint8Array {
  const blocks = files.flatMap(({ name, bytes }) => {
    const padded = new Uint8Array(Math.ceil(bytes.length / blockBytes) * blockBytes);
    padded.set(bytes);
    return [headerOf(name, bytes.length), padded];
  });
  const archive = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 2 * blockBytes));
  let offset = 0;
  for (const block of blocks) {
    archive.set(block, offset);
    offset += block.length;
  }
  return archive;
}

/** Reads an archive that `encodeArchive` wrote. Errors: RangeError on anything else, and on a name that climbs out. */
export function decodeArchive(archive: Uint8Array): readonly ArchiveFile[] {
  const files: ArchiveFile[] = [];
  let offset = 0;
  for (; offset + blockBytes <= archive.length && archive[offset] !== 0; ) {
    const header = archive.subarray(offset, offset + blockBytes);
    // A name that fills its field has no zero after it.
    const field = header.subarray(0, nameBytesMax);
    const name = new TextDecoder().decode(field.includes(0) ? field.subarray(0, field.indexOf(0)) : field);
    const size = Number.parseInt(new TextDecoder().decode(header.subarray(124, 135)), 8);
    const start = offset + blockBytes;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > archive.length) throw fault(`"${name}" is cut off`);
    const again = headerOf(name, size);
    if (!again.every((byte, i) => byte === header[i])) throw fault(`the header of "${name}" is not one of ours`);
    files.push({ name, bytes: archive.slice(start, start + size) });
    offset = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  if (archive.length - offset !== 2 * blockBytes) throw fault('it has no end');
  return files;
}

function headerOf(name: string, size: number): Uint8Array {
  const encoded = new TextEncoder().encode(name);
  const isInside = name !== '' && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isInside || encoded.length > nameBytesMax || /[\0\\]/.test(name))
    throw fault(`"${name}" is no name in a folder`);
  const header = new Uint8Array(blockBytes);
  const put = (offset: number, text: string) => header.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  header.set(encoded);
  for (const [offset, text] of [
    [100, '0000600'],
    [108, '0000000'],
    [116, '0000000'],
  ] as const)
    put(offset, text);
  put(124, `${octal(size, 11)}\0${octal(0, 11)}\0`);
  put(148, '        0');
  put(257, 'ustar');
  put(263, '00');
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return header;
}

function fault(what: string): RangeError {
  return new RangeError(`Cannot use the archive as ${what}`);
}
