import { activeUsers } from './active-users';
import { annotations } from './annotations';
import { averageSessionLength } from './average-session-length';
import { cohorts } from './cohorts';
import { events } from './events';
import { eventsList } from './events-list';
import { newUsers } from './new-users';
import type { Stream } from './stream';

/** Every stream, in the order that `discover` lists them. */
export const streams: readonly Stream[] = [
  events,
  activeUsers,
  newUsers,
  averageSessionLength,
  annotations,
  cohorts,
  eventsList,
];
