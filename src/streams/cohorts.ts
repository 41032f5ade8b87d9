import { listStream } from './list';

export const cohorts = listStream({
  name: 'cohorts',
  primaryKey: ['id'],
  request: { path: '/api/3/cohorts', params: { includeSyncInfo: 'true' } },
  key: 'cohorts',
});
