import { selectPeersByRole } from '@100mslive/react-sdk';

export const waitingRole = 'waiting-room';
export const hostRole = 'host';

export const selectWaiting = selectPeersByRole(waitingRole);

export const roleWords = (role?: string): string => {
  switch (role) {
    case hostRole:
      return 'Clinician';
    case 'guest':
      return 'Guest';
    case waitingRole:
      return 'In the waiting room';
    default:
      return role ?? '';
  }
};
