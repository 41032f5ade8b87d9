import { plainDescriptor } from '../../src/protocol/messages';
import type { InputStates } from '../../src/protocol/state';

/** The content of a state file that `parseStateInput` reads back as the same states. */
export function formatStateInput(states: InputStates): string {
  return JSON.stringify(
    [...states.values()].map(({ stream, state }) => ({
      type: 'STREAM',
      stream: { stream_descriptor: plainDescriptor(stream), stream_state: state },
    })),
  );
}
