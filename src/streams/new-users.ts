import { userCounts } from './users';

export const newUsers = userCounts('new_users', 'new');
