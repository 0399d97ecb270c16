import { selectPermissions, useHMSActions, useHMSStore, type HMSPeer } from '@100mslive/react-sdk';
import { UserRoundCheck } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../ui/button';
import { selectWaiting } from './roles';

/** Lets a person from the waiting room into the visit. The server decides; a refusal is reported in words. */
export function useAdmit(onProblem: (text?: string) => void) {
  const actions = useHMSActions();
  const [busy, setBusy] = useState(false);
  const admit = async (peer: Pick<HMSPeer, 'id' | 'name'>) => {
    setBusy(true);
    onProblem(undefined);
    try {
      await actions.changeRoleOfPeer(peer.id, 'guest', true);
    } catch (error) {
      onProblem(`${peer.name} could not be let in: ${error instanceof Error ? error.message : 'the server refused'}`);
    } finally {
      setBusy(false);
    }
  };
  return { busy, admit };
}

/** Tells a host who waits outside, with the way to let them in. */
export function Arrivals() {
  const permissions = useHMSStore(selectPermissions);
  const waiting = useHMSStore(selectWaiting);
  const [problem, setProblem] = useState<string>();
  const { busy, admit } = useAdmit(setProblem);
  const outside = waiting.filter((peer) => !peer.isLocal);
  const [first] = outside;
  if (!first || permissions?.changeRole !== true) return null;
  return (
    <div className="banner banner-arrival" role="status" data-testid="arrival">
      <UserRoundCheck aria-hidden size={20} />
      <span className="banner-text">
        {first.name} is waiting to come in
        {outside.length > 1 && ` (and ${outside.length - 1} more)`}
        {problem && <span className="field-error"> {problem}</span>}
      </span>
      <Button tone="primary" size="small" isDisabled={busy} onPress={() => void admit(first)} data-testid="arrival-admit">
        Let in
      </Button>
    </div>
  );
}
