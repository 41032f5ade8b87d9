import { userCounts } from './users';

export const activeUsers = userCounts('active_users', 'active');
