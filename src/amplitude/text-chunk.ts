/** Size of the buffers that the text of members is inflated into. */
export const TEXT_CHUNK = 2 * 1024 * 1024;
