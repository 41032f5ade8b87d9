/** What happens to a field of an event. */
export const PLAIN: u32 = 0;
export const TIMESTAMP: u32 = 1;
export const DROPPED: u32 = 2;

// A hash table. A slot holds the name's address, its length plus one (0: the slot is free) and the field's kind.
const SLOTS: u32 = 2048;
const SLOT_BYTES: u32 = 12;
const table: usize = memory.data(2048 * 12, 16);

/** More would fill the table by more than half and make searches long. */
export const MAX_FIELDS: i32 = 1024;

/** The name has to stay where it is. */
export function addField(name: usize, length: u32, kind: u32): void {
  let slot = firstSlot(name, length);
  while (load<u32>(slot, 4) != 0) slot = nextSlot(slot);
  store<usize>(slot, name);
  store<u32>(slot, length + 1, 4);
  store<u32>(slot, kind, 8);
}

export function kindOf(name: usize, length: u32): u32 {
  let slot = firstSlot(name, length);
  while (true) {
    const taken = load<u32>(slot, 4);
    if (taken == 0) return PLAIN;
    if (taken == length + 1 && isSame(load<usize>(slot), name, length)) return load<u32>(slot, 8);
    slot = nextSlot(slot);
  }
}

/** The first eight bytes and the length tell nearly all fields of an event apart. */
function firstSlot(name: usize, length: u32): usize {
  let start = load<u64>(name);
  if (length < 8) start = length == 0 ? 0 : start << (64 - 8 * <u64>length);
  // The multiplier is 2^64 divided by the golden ratio; the highest bits of the product depend on all bits.
  const hash = <u32>(((start ^ length) * 0x9e3779b97f4a7c15) >> 53);
  return table + hash * SLOT_BYTES;
}

function nextSlot(slot: usize): usize {
  return slot == table + (SLOTS - 1) * SLOT_BYTES ? table : slot + SLOT_BYTES;
}

function isSame(a: usize, b: usize, length: u32): bool {
  for (let at: u32 = 0; at < length; at++) {
    if (load<u8>(a + at) != load<u8>(b + at)) return false;
  }
  return true;
}
