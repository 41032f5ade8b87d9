import { ConnectorFailure } from '../failure';

/** Code of the failure of an archive that the temporary folder has no room for. */
export const DISK_FULL = 'ENOSPC';

/** EFBIG: a limit on the size of files (`ulimit -f`). */
const FULL_CODES: ReadonlySet<string> = new Set([DISK_FULL, 'EDQUOT', 'EFBIG']);
/** No read or write of a socket ends with one of these. */
const FILE_CODES: ReadonlySet<string> = new Set([
  ...['EACCES', 'EBADF', 'EIO', 'EMFILE', 'ENFILE', 'ENOENT', 'EPERM', 'EROFS', 'ESTALE'],
]);
const FILE_CALLS: ReadonlySet<string> = new Set([
  'open',
  'read',
  'write',
  'writev',
  'close',
  'fstat',
  'unlink',
]);

/** A smaller window may still fit; one hour that does not is the user's to solve. */
export class DiskFull extends ConnectorFailure {
  constructor(neededBytes: string) {
    super(
      'transient',
      `The temporary folder is full: an archive needs ${neededBytes} bytes. Give the container more disk (TMPDIR says where).`,
      undefined,
      { code: DISK_FULL },
    );
  }
}

/**
 * The failure that an error of the temporary folder is to its user.
 * @param neededBytes What the archive needs, for the message.
 * @returns undefined for every other error, those of the network above all
 */
export function judgeDiskFault(error: unknown, neededBytes: string): ConnectorFailure | undefined {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  if (FULL_CODES.has(code)) return new DiskFull(neededBytes);
  if (!FILE_CODES.has(code) || !FILE_CALLS.has(syscall)) return undefined;
  return new ConnectorFailure(
    'transient',
    `An archive in the temporary folder cannot be written or read (${code}). Check the disk, and that nothing else clears the ` +
      'folder (TMPDIR says where). The next sync goes on from here.',
    (error as Error).message,
    { code },
  );
}
