export const PLAIN: u32 = 0;
export const TIMESTAMP: u32 = 1;
export const DROPPED: u32 = 2;

/** Slots of the hash table; it is filled to half at most, so that a search ends soon. */
export const SLOTS: u32 = 1024;
export const MAX_FIELDS: u32 = SLOTS / 2;

/** A slot holds the name's place, its length (0: empty) and its kind. */
const SLOT_BYTES = 12;
const table: usize = memory.data(1024 * 12, 16);

export function clearFields(): void {
  memory.fill(table, 0, SLOTS * SLOT_BYTES);
}

/** The name has to stay where it is. */
export function addField(name: usize, length: u32, kind: u32): void {
  let slot = slotOf(name, length);
  while (load<u32>(slot, 4) != 0) slot = nextSlot(slot);
  store<usize>(slot, name);
  store<u32>(slot, length, 4);
  store<u32>(slot, kind, 8);
}

// @ts-ignore: decorator
@inline
export function kindOf(name: usize, length: u32): u32 {
  let slot = slotOf(name, length);
  while (true) {
    const slotLength = load<u32>(slot, 4);
    if (slotLength == 0) return PLAIN;
    if (slotLength == length && isSame(load<usize>(slot), name, length)) return load<u32>(slot, 8);
    slot = nextSlot(slot);
  }
}

// @ts-ignore: decorator
@inline
function slotOf(name: usize, length: u32): usize {
  // The first eight bytes and the length tell the fields of an event apart; a clash only costs a comparison.
  const unused: u64 = length < 8 ? 64 - length * 8 : 0;
  const first = length == 0 ? 0 : load<u64>(name) << unused;
  const hash = ((first ^ length) * 0x9e3779b97f4a7c15) >> 54;
  return table + <usize>hash * SLOT_BYTES;
}

// @ts-ignore: decorator
@inline
function nextSlot(slot: usize): usize {
  const next = slot + SLOT_BYTES;
  return next == table + SLOTS * SLOT_BYTES ? table : next;
}

function isSame(a: usize, b: usize, length: u32): bool {
  let at: u32 = 0;
  while (at + 8 <= length) {
    if (load<u64>(a + at) != load<u64>(b + at)) return false;
    at += 8;
  }
  const unused: u64 = 64 - (length - at) * 8;
  return at == length || (load<u64>(a + at) ^ load<u64>(b + at)) << unused == 0;
}
