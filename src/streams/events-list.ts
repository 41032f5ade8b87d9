import { listStream } from './list';

export const eventsList = listStream({
  name: 'events_list',
  primaryKey: ['id'],
  request: { path: '/api/2/events/list', cost: 1 },
  key: 'data',
});
