/** The archive, or a member, is not what Amplitude packed. `message` says where; it holds no content. */
export class ArchiveCorrupt extends Error {}
